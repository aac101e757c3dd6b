"""A PC of the corpus from a recording of one, such as `vfiod doctor --report` makes.

What a name or a class already tells is left out; what is plugged in keeps its own name.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.corpus import tree
from tests.corpus.pc import Function, parse
from vfiod.host.facts import boot
from vfiod.host.facts.desktop import read_desktop
from vfiod.host.facts.firmware import read_firmware
from vfiod.host.facts.loaders import Loader
from vfiod.host.facts.memory import read_memory
from vfiod.host.facts.pci import PciDevice, read_devices
from vfiod.host.facts.usage import read_host_usage
from vfiod.host.facts.usb import UsbController, UsbKind, read_controllers
from vfiod.model import PciAddress
from vfiod.util import sysfs

_LOADERS = {Loader.SYSTEMD_BOOT: "systemd-boot", Loader.GRUBBY: "grubby"}
_MOUNT, _ROUTE = "the mounted file system ", "the default route"
# Options that say whose machine it is, or what only this one needs.
_OWN_OPTIONS = ("root=", "BOOT_IMAGE=", "resume=", "initrd=", "rd.luks", "rd.lvm", "cryptdevice=")


def write(root: Path, about: str) -> str:
    """The PC below ``root`` as text; ``about`` says which it is, and where that is known from."""
    lines = [f"# {line}" for line in about.splitlines()]
    lines += [f"{key} {value}" for key, value in _keys(root).items() if value]
    return "\n".join([*lines, "pci", *_Table(root).lines()]) + "\n"


def _keys(root: Path) -> dict[str, str]:
    firmware, known = read_firmware(root), boot.read(root)
    options = [o for o in known.running if not o.startswith(_OWN_OPTIONS) and o != "ro"]
    memory = read_memory(root).total
    return {
        "cpu": firmware.processor.model,
        "system": known.distribution.name,
        "kernel": known.kernel,
        "loader": _LOADERS.get(known.loader, "grub"),
        "firmware": "" if firmware.uefi else "bios",
        "cmdline": " ".join(options),
        "desktop": read_desktop(root).manager.removesuffix(".service"),
        "nvidia": sysfs.read(root / "sys/module/nvidia/version") or "",
        "memory": str(round(memory / 2**30)),
        "iommu": "" if firmware.iommu.tables or firmware.iommu.groups else "off",
    }


class _Table:
    """The functions in the order in which they hang below each other."""

    def __init__(self, root: Path) -> None:
        self._devices = read_devices(root)
        self._controllers = read_controllers(root)
        self._uses = read_host_usage(self._devices, root)
        self._under: dict[PciAddress, PciAddress] = {}
        for address in self._devices:
            place = (root / "sys/bus/pci/devices" / str(address)).resolve()
            names = [parent.name for parent in place.parents]
            known = [a for name in names for a in self._devices if str(a) == name]
            if known:
                self._under[address] = known[0]

    def lines(self) -> Iterator[str]:
        """All of it."""
        for address in self._devices:
            if address not in self._under:
                yield from self._tree(address, 0)

    def _tree(self, address: PciAddress, depth: int) -> Iterator[str]:
        device = self._devices[address]
        yield self._function(device, depth)
        controller = self._controllers.get(address)
        yield from _plugged(controller) if controller else ()
        for below, above in self._under.items():
            if above == address:
                yield from self._tree(below, depth + 1)

    def _function(self, device: PciDevice, depth: int) -> str:
        group = "-" if device.group is None else str(device.group)
        address = f"{'  ' * depth}{str(device.address).removeprefix('0000:')}"
        code = f"{device.class_code >> 8:04x}"
        plain = f"{group:3}{address} {device.vendor:04x}:{device.device:04x} {code}"
        usual = parse(f"cpu {'AMD'}\nkernel 6\npci\n{plain}\n").functions[0]
        return " ".join([plain, *self._words(device, usual, below=depth > 0)])

    def _words(self, device: PciDevice, usual: Function, *, below: bool) -> Iterator[str]:
        if device.boot_vga:
            yield "boot"
        if device.physical:
            yield f"vf={str(device.physical).removeprefix('0000:')}"
        if (driver := device.driver or "") != tree.usual_driver(usual):
            yield f"driver={driver or '-'}"
        ways = " ".join(device.reset_methods)
        if ways != tree.usual_resets(usual, below=below, virtual=device.is_virtual):
            yield f"reset={ways.replace(' ', ',') or '-'}"
        for card in device.cards:
            yield from (f"{'+' if c.connected else '-'}{c.name}" for c in card.connectors)
        yield from self._holding(device.address)
        if window := max((bar.size for bar in device.bars if bar.resizable), default=0):
            yield f"window={window // 2**20}"
        if device.firmware_mapped:
            yield "direct"

    def _holding(self, address: PciAddress) -> Iterator[str]:
        """Not of a bridge, on which stands what is behind it."""
        if self._devices[address].is_bridge or address in self._under.values():
            return
        uses = self._uses.get(address, ())
        mounts = [use.removeprefix(_MOUNT) for use in uses if use.startswith(_MOUNT)]
        if mounts:
            yield f"disk={','.join(mounts)}"
        if any(use.startswith(_ROUTE) for use in uses):
            yield "net"


_WORDS: Mapping[UsbKind, str] = {UsbKind.SECURITY_KEY: "smart-card"}


def _plugged(controller: UsbController) -> Iterator[str]:
    for device in controller.devices:
        kinds = ",".join(_WORDS.get(kind, kind.value) for kind in device.kinds) or "other"
        ids = f"{device.vendor:04x}:{device.device:04x}"
        name = "" if device.name == ids else device.name.replace("#", "")
        yield f"        usb {kinds} {ids} {name}".rstrip()
