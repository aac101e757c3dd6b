"""Devices of the host that the guest is given otherwise than by a PCI <hostdev>. Pure.

libvirt looks for them after the hook (https://libvirt.org/formatdomain.html).
"""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from vfiod import paths
from vfiod.errors import DomainError
from vfiod.guest.opened import Opened
from vfiod.guest.passed import read_address
from vfiod.model import PciAddress

_PCI, _MEDIATED = "/sys/bus/pci/devices", "/sys/bus/mdev/devices"
_MAKES_DEVICES = str(paths.OTHERS_HOOK)
_CORRECT = "see what is with lspci -D and correct its address in the definition, or take it out"
_MAKE = "make it (see: mdevctl list), or take it out of the definition"


def read_given(root: Element) -> tuple[Opened, ...]:
    """Network cards, NVMe disks and mediated devices."""
    network_cards = _functions(root, "interface", "hostdev", _MAKES_DEVICES)
    return (*network_cards, *_functions(root, "disk", "nvme"), *_mediated(root))


def _functions(root: Element, tag: str, kind: str, *made: str) -> Iterator[Opened]:
    for source in root.iterfind(f"devices/{tag}[@type='{kind}']/source/address"):
        address = _address(source)
        if address is not None:
            yield Opened(
                (*made, f"{_PCI}/{address}"), f"<{tag} type='{kind}'>", _CORRECT, name=str(address),
                lack="is not in this PC",
            )  # fmt: skip


def _address(element: Element) -> PciAddress | None:
    """None for what is no PCI address; libvirt says what is wrong with it."""
    try:
        return read_address(element) if element.get("type", "pci") == "pci" else None
    except DomainError:
        return None


def _mediated(root: Element) -> Iterator[Opened]:
    for address in root.iterfind("devices/hostdev[@type='mdev']/source/address"):
        if (uuid := address.get("uuid", "").lower()) and "/" not in uuid:
            device = f"{_MEDIATED}/{uuid}"
            yield Opened((_MAKES_DEVICES, device), "<hostdev type='mdev'>", _MAKE, name=uuid)
