"""What libvirt and QEMU open at a guest's start beside its PCI devices. Pure.

Only what must be there: a disk that may be absent, and what QEMU makes itself, are left out
(https://libvirt.org/formatdomain.html).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from vfiod import paths
from vfiod.guest.commandline import Commandline

_FIRMWARE = (
    "distributions rename these files: see what there is with ls /usr/share/OVMF /usr/share/edk2 "
    "and correct the path in the definition"
)
TOGETHER = "take it out of the definition: the guest gets it together with that device"
_INPUT = "plug it in (see: ls /dev/input/by-id), or take it out of the definition"
# On NixOS a program may be in libvirtd.service's PATH alone, in the store: nobody can look for it,
# and the mark of NixOS stands for any (nixpkgs: nixos/modules/virtualisation/libvirtd.nix).
_ELSEWHERE = "/etc/NIXOS"
_FOLDERS = (
    "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
    "/run/current-system/sw/bin",
)  # fmt: skip
EVDEV = "<input type='evdev'>"
_TPM = ("swtpm", "swtpm_setup")
# libvirt looks into descriptions below these; a folder of one's own may name any place.
_VIRTIOFSD = (
    "/usr/libexec/virtiofsd", "/usr/lib/virtiofsd", "/usr/lib/qemu/virtiofsd",
    "/etc/qemu/vhost-user", "/var/lib/qemu/vhost-user",
    *(f"{folder}/virtiofsd" for folder in _FOLDERS), _ELSEWHERE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opened:
    """One of ``paths`` must be there. ``element`` is where the definition names it, ``remedy``
    what to do if it is not; ``program`` is its name if it is one that libvirt runs. ``name`` is
    what a person calls it, if not by a path, and ``lack`` what is so if no path is there;
    ``if_leaving`` is what to do if it goes over to the guest. A server for sound (``is_sound``)
    may be absent.
    """

    paths: tuple[str, ...]
    element: str
    remedy: str
    program: str = ""
    name: str = ""
    lack: str = ""
    if_leaving: str = TOGETHER
    is_sound: bool = False


@dataclass(frozen=True, slots=True)
class UsbHostdev:
    """A USB device of the host that the guest is given; a number that is None may be any.
    Without an ``optional`` one it starts all the same.

    https://libvirt.org/formatdomain.html#usb-pci-scsi-devices
    """

    vendor: int | None = None
    product: int | None = None
    bus: int | None = None
    number: int | None = None
    optional: bool = False

    @property
    def is_any_of_its_kind(self) -> bool:
        """True if nothing tells it from another of the same make."""
        return self.bus is None and self.number is None

    def fits(self, vendor: int, product: int, bus: int, number: int) -> bool:
        """Whether a device with these numbers is one that is meant."""
        pairs = (
            (self.vendor, vendor),
            (self.product, product),
            (self.bus, bus),
            (self.number, number),
        )
        return all(asked is None or asked == there for asked, there in pairs)

    def __str__(self) -> str:
        if self.vendor is not None and self.product is not None:
            return f"{self.vendor:04x}:{self.product:04x}"
        return f"on bus {self.bus}, device {self.number}"


def read_opened(root: Element, commandline: Commandline) -> tuple[Opened, ...]:
    """Everything with an absolute path, in the order of the definition."""
    found = (
        *_firmware(root),
        *_disks(root),
        *_inputs(root),
        *_tpm(root),
        *_filesystems(root),
        *_roms(root),
        *_others(root),
        *_arguments(commandline),
    )
    return tuple(one for one in found if all(path.startswith("/") for path in one.paths))


def read_usb(root: Element) -> tuple[UsbHostdev, ...]:
    """The USB devices of the host that the guest is given one by one, those named by port aside."""
    sources = (e.find("source") for e in root.iterfind("devices/hostdev") if e.get("type") == "usb")
    wanted = [_usb(source) for source in sources if source is not None]
    return tuple(hostdev for hostdev in wanted if hostdev is not None)


def _usb(source: Element) -> UsbHostdev | None:
    vendor, product = (_number(source.find(tag), "id") for tag in ("vendor", "product"))
    address = source.find("address")
    bus, number = (_number(address, name) for name in ("bus", "device"))
    by_port = None in (vendor, product) and None in (bus, number)
    optional = source.get("startupPolicy") == "optional"
    return None if by_port else UsbHostdev(vendor, product, bus, number, optional)


def _number(element: Element | None, name: str) -> int | None:
    """As libvirt writes them: 0x in hexadecimal, else decimal."""
    text = "" if element is None else element.get(name, "")
    try:
        return int(text, 16 if text.lower().startswith("0x") else 10)
    except ValueError:
        return None


def _firmware(root: Element) -> Iterator[Opened]:
    """The variables are made from the template if they are not there yet."""
    yield from _texts(root, "os/loader", "<loader>", _FIRMWARE)
    variables = root.find("os/nvram")
    if variables is not None and (template := variables.get("template")):
        own = variables.find("source")
        path = (own.get("file", "") if own is not None else variables.text or "").strip()
        paths = (path, template) if path else (template,)
        yield Opened(paths, "<nvram template>", _FIRMWARE)
    for name in ("kernel", "initrd", "dtb"):
        yield from _texts(root, f"os/{name}", f"<{name}>", "correct its path in the definition")
    yield from _texts(root, "os/acpi/table", "<table>", "correct its path in the definition")


def _texts(root: Element, path: str, element: str, remedy: str) -> Iterator[Opened]:
    for found in root.iterfind(path):
        if text := (found.text or "").strip():
            yield Opened((text,), element, remedy)


def _disks(root: Element) -> Iterator[Opened]:
    for source in root.iterfind("devices/disk/source"):
        path = source.get("file") or source.get("dev")
        if path and source.get("startupPolicy") != "optional":
            yield Opened((path,), "<disk>", "restore it or detach it")


def _inputs(root: Element) -> Iterator[Opened]:
    for kind, name in (("evdev", "dev"), ("passthrough", "evdev")):
        for source in root.iterfind(f"devices/input[@type='{kind}']/source"):
            if path := source.get(name):
                yield Opened((path,), f"<input type='{kind}'>", _INPUT)


def _tpm(root: Element) -> Iterator[Opened]:
    for backend in root.iterfind("devices/tpm/backend"):
        if backend.get("type") == "emulator":
            for name in _TPM:
                paths = (*(f"{folder}/{name}" for folder in _FOLDERS), _ELSEWHERE)
                remedy = "install swtpm (Debian: swtpm swtpm-tools), or take the TPM out"
                yield Opened(paths, "<tpm>", remedy, program=name)
        for device in backend.iterfind("device"):
            if path := device.get("path"):
                yield Opened((path,), "<tpm>", "switch the TPM on in the firmware, or take it out")


def _filesystems(root: Element) -> Iterator[Opened]:
    for filesystem in root.iterfind("devices/filesystem"):
        source, driver = filesystem.find("source"), filesystem.find("driver")
        remedy = "make or mount it, or take the <filesystem> out of the definition"
        given = {} if source is None else source.attrib
        for path in filter(None, (given.get("dir"), given.get("file"), given.get("socket"))):
            yield Opened((path,), "<filesystem>", remedy)
        is_virtiofs = driver is not None and driver.get("type") == "virtiofs"
        if is_virtiofs and "socket" not in given:
            binary = filesystem.find("binary")
            own = "" if binary is None else binary.get("path", "")
            paths = (own,) if own else _VIRTIOFSD
            remedy = "install virtiofsd, or take the <filesystem> out of the definition"
            yield Opened(paths, "<filesystem>", remedy, program="virtiofsd")


def _roms(root: Element) -> Iterator[Opened]:
    for rom in root.iterfind("devices/*/rom"):
        if path := rom.get("file"):
            yield Opened((path,), "<rom file>", "correct its path, or have vfiod init do it")


def _others(root: Element) -> Iterator[Opened]:
    """Devices of the host that are passed through by their nodes; QEMU makes a file that is not
    there for memory of its own.
    """
    remedy = "plug it in, or take it out of the definition"
    for kind in ("serial", "parallel", "console", "channel"):
        for source in root.iterfind(f"devices/{kind}[@type='dev']/source"):
            if path := source.get("path"):
                yield Opened((path,), f"<{kind}>", remedy)
        for source in root.iterfind(f"devices/{kind}[@type='unix']/source[@mode='connect']"):
            again = source.find("reconnect")  # so QEMU waits for it
            if (path := source.get("path")) and (again is None or again.get("enabled") != "yes"):
                listens = f"start what listens there, or take <{kind}> out of the definition"
                yield Opened((str(paths.OTHERS_HOOK), path), f"<{kind}>", listens)
    for backend in root.iterfind("devices/rng/backend[@model='random']"):
        if path := (backend.text or "").strip():
            yield Opened((path,), "<rng>", remedy)
    for model in ("nvdimm", "virtio-pmem"):
        for source in root.iterfind(f"devices/memory[@model='{model}']/source/path"):
            path = (source.text or "").strip()
            if path.startswith("/dev/") and not path.startswith("/dev/shm/"):
                yield Opened((path,), "<memory>", "make it (see: ndctl list), or take it out")


def _arguments(commandline: Commandline) -> Iterator[Opened]:
    for path, words in commandline.files:
        remedy = f"it is in {words}: correct that in the definition"
        yield Opened((path,), "<qemu:commandline>", remedy)
