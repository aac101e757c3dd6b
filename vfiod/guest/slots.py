"""Functions of one card as functions of one slot in the guest too. Pure.

Drivers look for a card's sound and its other parts beside its picture, as they are on the host.
libvirt gives each device a port of its own unless it has an address, and adds the ports that
addresses name (https://libvirt.org/pci-addresses.html, formatdomain.html#device-addresses).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree

from vfiod.guest import tree
from vfiod.model import PciAddress

_PORT = "pcie-root-port"


def place_together(root: Any, hostdevs: Mapping[PciAddress, Any]) -> None:
    """Give each card of several functions a port of the guest, unless one has a place already.

    ``hostdevs`` are the elements by the host's addresses. Only for q35: other machines have no
    PCI Express, and their cards share one bus.
    """
    if "q35" not in _machine(root):
        return
    for card in dict.fromkeys(address.card for address in hostdevs):
        mates = {a: e for a, e in hostdevs.items() if a.card == card}
        has_first = any(address.function == 0 for address in mates)
        if len(mates) > 1 and has_first and all(e.find("address") is None for e in mates.values()):
            bus = _free_bus(root)
            for address, hostdev in mates.items():
                tree.insert(hostdev, _address(bus, address.function))


def leave_taken(root: Any, devices: Sequence[Any]) -> None:
    """Take the address from each of these devices whose slot another device of the guest has."""
    taken = {
        _slot(address)
        for address in root.iterfind("devices/*/address[@type='pci']")
        if address.getparent() not in devices
    }
    for device in devices:
        address = device.find("address[@type='pci']")
        if address is not None and _slot(address) in taken:
            tree.remove(address)


def _slot(address: Any) -> tuple[int, ...]:
    return tuple(int(address.get(part, "0"), 0) for part in ("domain", "bus", "slot"))


def _machine(root: Any) -> str:
    kind = root.find("os/type")
    return "" if kind is None else kind.get("machine", "")


def _address(bus: int, function: int) -> Any:
    place = {
        "type": "pci",
        "domain": "0x0000",
        "bus": f"{bus:#04x}",
        "slot": "0x00",
        "function": f"{function:#x}",
    }
    return etree.Element("address", place | ({} if function else {"multifunction": "on"}))


def _free_bus(root: Any) -> int:
    """The last port without a device, else one that libvirt adds.

    The last, as libvirt gives what has no address yet the first one.
    """
    taken = {
        int(address.get("bus", "0"), 0)
        for address in root.iterfind("devices/*/address[@type='pci']")
    }
    buses = list(_controllers(root))
    free = [index for index, model in buses if model == _PORT and index not in taken]
    return max(free, default=1 + max([*taken, *(index for index, _ in buses)], default=0))


def _controllers(root: Any) -> list[tuple[int, str]]:
    """Index and model; those without an index are numbered by libvirt in their order."""
    controllers = root.iterfind("devices/controller[@type='pci']")
    return [
        (int(controller.get("index", str(place))), controller.get("model", ""))
        for place, controller in enumerate(controllers)
    ]
