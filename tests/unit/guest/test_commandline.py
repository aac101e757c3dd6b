"""What is read of <qemu:commandline>: pairs and JSON, as people write them."""

import pytest

from tests.fakes import pcs
from vfiod.guest import domain
from vfiod.guest.commandline import Commandline
from vfiod.model import PciAddress

CARD, SOUND = PciAddress.parse("01:00.0"), PciAddress.parse("01:00.1")


def with_arguments(*arguments: str, xml: str = "") -> str:
    """A definition with these words for QEMU."""
    return pcs.told(
        "<domain type='kvm'><name>win10</name><uuid>0d0a6a29-76f8-4b79-9d5a-6f2b5a7e9a11</uuid>"
        f"<memory>1048576</memory>{xml}</domain>",
        *arguments,
    )


def read(*arguments: str) -> Commandline:
    return domain.parse(with_arguments(*arguments)).commandline


def files(*arguments: str) -> list[str]:
    return [path for path, _ in read(*arguments).files]


def test_a_guest_without_one_has_no_options() -> None:
    assert read() == Commandline()
    assert read().cpu == ()


def test_the_last_cpu_counts() -> None:
    given = read("-cpu", "qemu64", "-device", "ich9-intel-hda", "-cpu", "host,kvm=off,-hypervisor")
    assert given.cpu == ("host", "kvm=off", "-hypervisor")
    assert given.adds("ich9-intel-hda")
    assert not given.sets_cores
    assert read("-smp", "4,cores=2").sets_cores


@pytest.mark.parametrize(
    "argument",
    [
        "vfio-pci,host=01:00.0,bus=pcie.0,addr=0x10.0,multifunction=on",
        "vfio-pci,host=0000:01:00.0",
        "vfio-pci,host=1:0.0",
        "vfio-pci-nohotplug,sysfsdev=/sys/bus/pci/devices/0000:01:00.0",
        '{"driver":"vfio-pci","host":"0000:01:00.0","id":"a","x-vga":true}',
        "{'driver':'vfio-pci','host':'0000:01:00.0'}",
        "driver=vfio-pci,host=01:00.0",
    ],
)
def test_devices_of_the_host_are_seen(argument: str) -> None:
    assert read("-device", argument).devices == (CARD,)


@pytest.mark.parametrize(
    "argument",
    ["vfio-pci", "vfio-pci,host=no", "vfio-pci,host=01:20.0", '{"driver":"vfio-pci"', "[]", "{}"],
)
def test_what_names_no_device_is_none(argument: str) -> None:
    assert read("-device", argument).devices == ()


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("""{'filename':'/a "b" c'}""", '/a "b" c'),
        ("""{"filename":"/it's","id":'d'}""", "/it's"),
        (r"""{'filename':'/it\'s'}""", "/it's"),
        (r"""{'filename':'/a\\b\"'}""", '/a\\b"'),
    ],
)
def test_quotes_of_either_kind(value: str, path: str) -> None:
    assert files("-blockdev", value) == [path]


def test_two_functions_and_a_hostdev_are_what_the_guest_gets() -> None:
    hostdev = (
        "<devices><hostdev mode='subsystem' type='pci'><source>"
        "<address bus='0x02'/></source></hostdev></devices>"
    )
    xml = with_arguments(
        "-device", "vfio-pci,host=01:00.0", "-device", "vfio-pci,host=01:00.1", xml=hostdev
    )
    assert domain.parse(xml).passed == (PciAddress.parse("02:00.0"), CARD, SOUND)


def test_input_devices() -> None:
    given = read("-object", "input-linux,id=kbd,evdev=/dev/input/by-id/a-event-kbd,grab_all=on")
    assert given.has_input
    assert [path for path, _ in given.files] == ["/dev/input/by-id/a-event-kbd"]
    assert not read("-device", "virtio-keyboard-pci").has_input


def test_input_devices_that_qemu_has_for_itself() -> None:
    linux = '{"qom-type":"input-linux","id":"kbd","evdev":"/dev/input/event4"}'
    given = read("-object", "input-linux,id=kbd,evdev=/dev/input/event3", "-object", linux)
    assert given.grabbed == ("/dev/input/event3", "/dev/input/event4")
    assert read("-device", "virtio-input-host-pci,evdev=/dev/input/event3").grabbed == ()


def test_a_comma_in_a_name_is_written_twice() -> None:
    assert files("-drive", "if=none,file=/a,,b.img,format=raw") == ["/a,b.img"]
    assert files("-drive", "file=/a,,,,,format=raw") == ["/a,,"]


@pytest.mark.parametrize(
    ("option", "argument", "path"),
    [
        ("-drive", "if=pflash,format=raw,readonly=on,file=/ovmf/code.fd", "/ovmf/code.fd"),
        ("-device", "qxl,romfile=/roms/a.rom", "/roms/a.rom"),
        ("-blockdev", '{"driver":"raw","file":{"driver":"file","filename":"/d.img"}}', "/d.img"),
        ("-drive", "driver=qcow2,file.driver=file,file.filename=/d.qcow2", "/d.qcow2"),
        ("-bios", "/b.bin", "/b.bin"),
        ("--cdrom", "/c.iso", "/c.iso"),
        ("-acpitable", "file=/sys/firmware/acpi/tables/SLIC", "/sys/firmware/acpi/tables/SLIC"),
        ("-fw_cfg", "name=opt/a,file=/f", "/f"),
        ("-object", "memory-backend-file,id=m,mem-path=/dev/kvmfr0,size=64M", "/dev/kvmfr0"),
        ("-tpmdev", "passthrough,id=t,path=/dev/tpm0", "/dev/tpm0"),
        ("-object", '{"qom-type":"input-linux","id":"k","evdev":"/dev/input/event3"}',
         "/dev/input/event3"),
        # https://looking-glass.io/docs/B7/ivshmem_kvmfr
        ("-object", "{'qom-type':'memory-backend-file','id':'looking-glass',"
         "'mem-path':'/dev/kvmfr0','size':33554432,'share':true}", "/dev/kvmfr0"),
    ],
)  # fmt: skip
def test_files_that_are_opened(option: str, argument: str, path: str) -> None:
    assert read(option, argument).files == ((path, f"-{option.lstrip('-')} {argument}"),)


@pytest.mark.parametrize(
    ("option", "argument"),
    [
        ("-object", "memory-backend-file,id=m,mem-path=/dev/shm/looking-glass,size=64M,share=on"),
        ("-chardev", "socket,id=c,path=/run/a.sock,server=on,wait=off"),
        ("-drive", "file=nbd://host/x"),
        ("-device", "virtio-net-pci,romfile="),
        ("-device", "vfio-pci,host=01:00.0,romfile=vgabios.bin"),
        ("-bios", "bios-256k.bin"),
        ("-nodefaults", "-S"),
    ],
)
def test_what_qemu_makes_or_finds_itself_is_no_file(option: str, argument: str) -> None:
    assert files(option, argument) == []
