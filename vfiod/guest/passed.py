"""The PCI functions of the host that a domain takes as <hostdev>. Pure.

https://libvirt.org/formatdomain.html#usb-pci-scsi-devices
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from vfiod.guest.document import refuse
from vfiod.model import PciAddress

VFIO, IOMMUFD = "vfio", "iommufd"
BACKENDS = frozenset({VFIO, IOMMUFD})

_NUMBER = re.compile(r"0[xX]([0-9a-fA-F]{1,8})|(0[0-7]{0,11})|([1-9][0-9]{0,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Hostdev:
    """A PCI function of the host that the domain takes. ``rom_bar``: the guest sees a ROM.

    ``backend``: by what QEMU opens it, one of BACKENDS or the words that nobody here knows.
    """

    address: PciAddress
    managed: bool
    rom_file: str | None
    rom_bar: bool
    backend: str = VFIO


def read_hostdevs(root: Element) -> Iterator[Hostdev]:
    """All of a domain's, in order. Raises DomainError."""
    common = _common_backend(root)
    for element in root.iterfind("devices/hostdev"):
        if is_pci_hostdev(element):
            yield read_hostdev(element, common)


def is_pci_hostdev(element: Element) -> bool:
    """True for a <hostdev> that names a PCI function of the host."""
    return element.get("mode", "subsystem") == "subsystem" and element.get("type") == "pci"


def read_hostdev(element: Element, common: str = VFIO) -> Hostdev:
    """Read a PCI <hostdev>. Its <source> names the host's device, its own <address> the guest's.

    ``common`` is the backend of devices that name none.
    Raises DomainError.
    """
    source = element.find("source/address")
    if source is None:
        refuse("a PCI <hostdev> has no <source> with an <address>")
    rom = element.find("rom")
    options = {} if rom is None else rom.attrib
    return Hostdev(
        address=read_address(source),
        managed=element.get("managed") == "yes",
        rom_file=options.get("file") or None,
        rom_bar=options.get("enabled") != "no" and options.get("bar") != "off",
        backend=_own_backend(element, common),
    )


def _common_backend(root: Element) -> str:
    """What <iommufd> says for all devices of the domain (libvirt 12.2 and later)."""
    element = root.find("iommufd")
    return VFIO if element is None else _switched(element.get("enabled"), VFIO)


def _own_backend(element: Element, common: str) -> str:
    """What the <driver> of a <hostdev> says (iommufd: libvirt 12.1 and later)."""
    driver = element.find("driver")
    if driver is None:
        return common
    name = driver.get("name", VFIO)
    return _switched(driver.get("iommufd"), common) if name == VFIO else _quoted(name)


def _switched(value: str | None, otherwise: str) -> str:
    if value is None:
        return otherwise
    return {"yes": IOMMUFD, "no": VFIO}.get(value) or _quoted(f"iommufd={value}")


def _quoted(text: str) -> str:
    return text if text in BACKENDS else repr(text[:40])


def read_address(element: Element) -> PciAddress:
    """Read a PCI <address> of the host's. Raises DomainError."""
    limits = {"domain": 0xFFFFFFFF, "bus": 0xFF, "slot": 0x1F, "function": 7}
    parts = [_part(element, name, limit=limit) for name, limit in limits.items()]
    if not any(parts[:3]):
        refuse("a PCI <hostdev> has an empty address")
    return PciAddress(*parts)


def _part(element: Element, name: str, *, limit: int) -> int:
    """Read one number as libvirt does (strtoul with base 0): absent is 0, 0x is hex, 0 octal."""
    text = element.get(name, "0")
    match = _NUMBER.fullmatch(text)
    if match is None:
        refuse(f"not a number in a PCI address: {name}={text[:20]!r}")
    hexadecimal, octal, decimal = match.groups()
    number = int(hexadecimal or octal or decimal, 16 if hexadecimal else 8 if octal else 10)
    if number > limit:
        refuse(f"out of range in a PCI address: {name}={text[:20]!r}")
    return number
