"""A card's functions share a slot of the guest, and nothing that has a place is moved."""

from vfiod.guest import tree
from vfiod.guest.hostdevs import set_hostdevs
from vfiod.model import PciAddress

VGA, SOUND, USB = (PciAddress.parse(text) for text in ("01:00.0", "01:00.1", "02:00.0"))
DEVICES = dict.fromkeys((VGA, SOUND, USB))
PORTS = "".join(f"<controller type='pci' index='{n}' model='pcie-root-port'/>" for n in range(1, 4))
TAKEN = "<disk><address type='pci' domain='0x0000' bus='0x03' slot='0x00' function='0x0'/></disk>"


def places(inside: str, machine: str = "pc-q35-7.2", **roms: str) -> list[dict[str, str] | None]:
    """The guest's addresses of VGA, SOUND and USB after they were put in, twice."""
    root = tree.read(
        "<domain type='kvm'><name>a</name><uuid>0d0a6a29-76f8-4b79-9d5a-6f2b5a7e9a11</uuid>"
        f"<memory>1048576</memory><os><type machine='{machine}'>hvm</type></os>"
        f"<devices>{inside}</devices></domain>"
    )
    set_hostdevs(root, DEVICES)
    once = tree.write(root)
    set_hostdevs(root, DEVICES)
    assert tree.write(root) == once
    found = [hostdev.find("address") for hostdev in root.iterfind("devices/hostdev")]
    return [None if address is None else dict(address.attrib) for address in found]


def place(bus: str, function: str, **more: str) -> dict[str, str]:
    return {
        "type": "pci", "domain": "0x0000", "bus": bus, "slot": "0x00", "function": function, **more,
    }  # fmt: skip


def test_the_last_free_port_has_the_card() -> None:
    vga, sound, usb = places(f"<controller type='pci' index='0' model='pcie-root'/>{PORTS}{TAKEN}")
    assert vga == place("0x02", "0x0", multifunction="on")
    assert sound == place("0x02", "0x1")
    assert usb is None  # libvirt finds it a port


def test_ports_that_libvirt_has_not_numbered_yet() -> None:
    ports = "<controller type='pci' model='pcie-root'/>" + PORTS.replace("index", "x")
    vga, _, _ = places(ports)
    assert vga == place("0x03", "0x0", multifunction="on")


def test_without_a_free_port_libvirt_adds_one() -> None:
    assert places("")[0] == place("0x01", "0x0", multifunction="on")
    port = "<controller type='pci' index='3' model='pcie-root-port'/>"
    assert places(port + TAKEN)[0] == place("0x04", "0x0", multifunction="on")


def test_a_card_that_has_a_place_keeps_it() -> None:
    own = place("0x07", "0x0")
    written = " ".join(f"{key}='{value}'" for key, value in own.items())
    hostdev = (
        "<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='0x01' slot='0'"
        f" function='0'/></source><address {written}/></hostdev>"
    )
    assert places(hostdev + PORTS) == [own, None, None]


def test_other_machines_are_left_to_libvirt() -> None:
    assert places(PORTS, machine="pc-i440fx-7.2") == [None, None, None]
