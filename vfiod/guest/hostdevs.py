"""The <hostdev> elements of a domain: exactly the functions vfiod hands over, never managed.

https://libvirt.org/formatdomain.html#usb-pci-scsi-devices
"""

from collections.abc import Collection, Mapping
from typing import Any

from lxml import etree

from vfiod.guest import passed, tree
from vfiod.guest.slots import leave_taken, place_together
from vfiod.model import PciAddress

# libvirt binds and unbinds managed devices itself, while it holds locks of all guests.
_MANAGED = "no"


def set_hostdevs(
    root: Any, roms: Mapping[PciAddress, str | None], bare: Collection[PciAddress] = ()
) -> None:
    """Make the PCI functions of ``roms`` the guest's, in that order, and no other.

    ``roms`` gives for each the file its ROM is read from, None to leave that as it is, unless it
    is ``bare``, and loses it. A <hostdev> that is there already keeps its place in the guest and
    all else that it has; the functions of a card that is new become functions of one slot there.
    Raises DomainError for a <hostdev> that cannot be read.
    """
    found = _found(root)
    for address, hostdev in found.items():
        if address not in roms:
            tree.remove(hostdev)
    given = {a: found[a] if a in found else _add(root, a) for a in roms}
    for address, hostdev in given.items():
        hostdev.set("managed", _MANAGED)
        if (rom := roms[address]) is not None:
            _set_rom(hostdev, rom)
        elif address in bare:
            _drop_rom(hostdev)
    place_together(root, given)


def take_out(root: Any) -> None:
    """Remove the guest's PCI functions and its PCI ports, which libvirt adds for them."""
    for element in [*_pci_hostdevs(root), *root.findall("devices/controller[@type='pci']")]:
        tree.remove(element)


def put_back(root: Any, before: Any) -> None:
    """Give a tree the PCI functions of another one, as they are there."""
    devices = root.find("devices")
    if devices is not None:
        copies = tree.exchange(devices, _pci_hostdevs(root), _pci_hostdevs(before))
        leave_taken(root, copies)


def _found(root: Any) -> dict[PciAddress, Any]:
    return {passed.read_hostdev(e).address: e for e in _pci_hostdevs(root)}


def _pci_hostdevs(root: Any) -> list[Any]:
    return [e for e in root.iterfind("devices/hostdev") if passed.is_pci_hostdev(e)]


def _add(root: Any, address: PciAddress) -> Any:
    devices = root.find("devices")
    if devices is None:
        devices = etree.Element("devices")
        tree.insert(root, devices)
    hostdev = etree.Element("hostdev", mode="subsystem", type="pci")
    source = etree.SubElement(hostdev, "source")
    etree.SubElement(source, "address", _parts(address))
    others = devices.findall("hostdev")
    tree.insert(devices, hostdev, after=others[-1] if others else None)
    return hostdev


def _parts(address: PciAddress) -> dict[str, str]:
    return {
        "domain": f"{address.domain:#06x}",
        "bus": f"{address.bus:#04x}",
        "slot": f"{address.slot:#04x}",
        "function": f"{address.function:#x}",
    }


def _set_rom(hostdev: Any, path: str) -> None:
    rom = hostdev.find("rom")
    if rom is None:
        rom = etree.Element("rom")
        tree.insert(hostdev, rom, after=hostdev.find("source"))
    # With these the guest would see no ROM at all.
    for name, hides in (("enabled", "no"), ("bar", "off")):
        if rom.get(name) == hides:
            del rom.attrib[name]
    rom.set("file", path)


def _drop_rom(hostdev: Any) -> None:
    rom = hostdev.find("rom")
    if rom is not None:
        rom.attrib.pop("file", None)
        if not rom.attrib:
            tree.remove(rom)
