"""What is found in a definition that must be there at a start."""

import pytest

from tests.fakes import pcs
from vfiod.guest import domain
from vfiod.guest.opened import Opened, UsbHostdev

RENAMED = "/usr/share/OVMF/OVMF_CODE.fd"


def read(inside: str, *words: str, top: str = "") -> list[Opened]:
    """What is opened besides the disk that each definition of the model has."""
    return list(parse(inside, *words, top=top).opened[1:])


def parse(inside: str, *words: str, top: str = "") -> domain.Domain:
    xml = pcs.xml((), backing=top).replace("</devices>", f"{inside}</devices>")
    # The firmware stands before the devices and is told first.
    return domain.parse(pcs.told(xml, *words))


@pytest.mark.parametrize(
    ("inside", "paths", "element"),
    [
        ("<input type='evdev'><source dev='/dev/input/event3' grab='all'/></input>",
         ("/dev/input/event3",), "<input type='evdev'>"),
        ("<input type='passthrough'><source evdev='/dev/input/event3'/></input>",
         ("/dev/input/event3",), "<input type='passthrough'>"),
        ("<tpm><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm>",
         ("/dev/tpm0",), "<tpm>"),
        ("<filesystem type='mount'><source dir='/srv'/><target dir='x'/></filesystem>",
         ("/srv",), "<filesystem>"),
        ("<filesystem type='mount'><driver type='virtiofs'/><source socket='/run/a'/>"
         "</filesystem>", ("/run/a",), "<filesystem>"),
        ("<serial type='dev'><source path='/dev/ttyUSB0'/></serial>", ("/dev/ttyUSB0",),
         "<serial>"),
        ("<rng model='virtio'><backend model='random'>/dev/hwrng</backend></rng>",
         ("/dev/hwrng",), "<rng>"),
        ("<interface type='user'><rom file='/roms/net.rom'/></interface>", ("/roms/net.rom",),
         "<rom file>"),
        ("<memory model='nvdimm'><source><path>/dev/dax0.0</path></source></memory>",
         ("/dev/dax0.0",), "<memory>"),
        ("<disk type='block'><source dev='/dev/sdb'/></disk>", ("/dev/sdb",), "<disk>"),
        ("<channel type='unix'><source mode='connect' path='/run/a'/></channel>",
         ("/etc/libvirt/hooks/qemu", "/run/a"), "<channel>"),
        ("<serial type='unix'><source mode='connect' path='/run/a'><reconnect enabled='no'/>"
         "</source></serial>", ("/etc/libvirt/hooks/qemu", "/run/a"), "<serial>"),
    ],
)  # fmt: skip
def test_devices(inside: str, paths: tuple[str, ...], element: str) -> None:
    (found,) = read(inside)
    assert (found.paths, found.element) == (paths, element)
    assert found.remedy


@pytest.mark.parametrize(
    "inside",
    [
        "<disk type='file' device='cdrom'><source file='/a.iso' startupPolicy='optional'/></disk>",
        "<disk type='file' device='cdrom'/>",
        "<disk type='network'><source protocol='nbd' name='x'/></disk>",
        "<input type='tablet'/>",
        "<channel type='unix'><source mode='bind' path='/run/made'/></channel>",
        "<channel type='unix'><source path='/run/made'/></channel>",
        "<serial type='unix'><source mode='connect' path='/run/a'><reconnect enabled='yes' "
        "timeout='1'/></source></serial>",
        "<filesystem type='mount'/>",
        "<rng><backend model='egd'/></rng>",
        "<memory model='nvdimm'><source><path>/srv/made</path></source></memory>",
        "<memory model='dimm'><source><pagesize unit='KiB'>2048</pagesize></source></memory>",
    ],
)
def test_what_need_not_be_there(inside: str) -> None:
    assert read(inside) == []


def test_firmware_and_its_variables() -> None:
    own = "/var/lib/libvirt/qemu/nvram/win10_VARS.fd"
    for variables in (
        f"<nvram template='/t.fd'>{own}</nvram>",
        f"<nvram template='/t.fd' type='file'><source file='{own}'/></nvram>",
    ):
        opened = parse("", top=f"<os><loader type='pflash'>{RENAMED}</loader>{variables}</os>")
        loader, template = opened.opened[:2]
        assert (loader.paths, loader.element) == ((RENAMED,), "<loader>")
        assert "correct the path" in loader.remedy
        assert template.paths == (own, "/t.fd")  # either will do
    bare = parse("", top=f"<os><nvram>{own}</nvram><loader/></os>").opened
    assert [one.element for one in bare] == ["<disk>"]


def test_programs_that_libvirt_runs() -> None:
    swtpm, setup = read("<tpm><backend type='emulator' version='2.0'/></tpm>")
    assert (swtpm.program, setup.program) == ("swtpm", "swtpm_setup")
    assert "/usr/bin/swtpm" in swtpm.paths
    folder, virtiofsd = read(
        "<filesystem type='mount'><driver type='virtiofs'/><source dir='/srv'/></filesystem>"
    )
    assert folder.paths == ("/srv",)
    found = set(virtiofsd.paths)
    assert {"/usr/libexec/virtiofsd", "/etc/qemu/vhost-user", "/var/lib/qemu/vhost-user"} <= found
    for program in (swtpm, setup, virtiofsd):
        assert "/etc/NIXOS" in program.paths
    _, own = read(
        "<filesystem type='mount'><driver type='virtiofs'/><binary path='/opt/v'/>"
        "<source dir='/srv'/></filesystem>"
    )
    assert own.paths == ("/opt/v",)


def test_what_only_qemu_is_told_of() -> None:
    (found,) = read("", "-object", "input-linux,id=k,evdev=/dev/input/event9")
    assert (found.paths, found.element) == (("/dev/input/event9",), "<qemu:commandline>")
    assert "-object input-linux,id=k,evdev=/dev/input/event9" in found.remedy


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("<source><vendor id='0x046d'/><product id='0xc31c'/></source>",
         (UsbHostdev(0x46D, 0xC31C, None, None),)),
        ("<source><address bus='1' device='4'/></source>", (UsbHostdev(None, None, 1, 4),)),
        ("<source startupPolicy='optional'><vendor id='1'/><product id='2'/></source>",
         (UsbHostdev(1, 2, optional=True),)),
        ("<source/>", ()),
        ("", ()),
    ],
)  # fmt: skip
def test_usb_devices(source: str, wanted: tuple[UsbHostdev, ...]) -> None:
    hostdev = f"<hostdev mode='subsystem' type='usb'>{source}</hostdev>"
    assert parse(hostdev).usb == wanted
