"""libvirt domain XML -> the few facts a handoff depends on. Pure: text in, values out.

The XML comes from libvirt or from whoever may edit a domain, so it is read with suspicion: no
document type, no entities of its own, bounded size and depth.
"""

import re
from dataclasses import dataclass, field
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from vfiod.errors import DomainError
from vfiod.guest.commandline import Commandline, read_commandline
from vfiod.guest.opened import Opened, UsbHostdev, read_opened, read_usb
from vfiod.model import PciAddress

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 64

VFIO, IOMMUFD = "vfio", "iommufd"
BACKENDS = frozenset({VFIO, IOMMUFD})

_HINT = "see it with: virsh --connect qemu:///system dumpxml GUEST"
_DEFAULT_UNIT = "KiB"
_POWERS = "kmgtpe"
_UNIT = re.compile(rf"([{_POWERS}])(b|ib)?", re.ASCII)
_MAX_MEMORY = 2**63 - 1
_NUMBER = re.compile(r"0[xX]([0-9a-fA-F]{1,8})|(0[0-7]{0,11})|([1-9][0-9]{0,9})", re.ASCII)
_UUID = re.compile(r"([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})")


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


@dataclass(frozen=True, slots=True)
class Disk:
    """A local disk image, or a block device of the host if ``block``."""

    source: str
    device: str
    block: bool


@dataclass(frozen=True, slots=True)
class Domain:
    """What vfiod knows of a guest; ``hugepage_bytes`` is the page size asked for, if any is.

    ``commandline`` is what QEMU is told past libvirt; ``opened`` and ``usb`` are what must be there
    beside the PCI devices.
    """

    name: str
    uuid: str
    kind: str
    memory_bytes: int
    hugepages: bool
    hugepage_bytes: int | None
    hostdevs: tuple[Hostdev, ...]
    disks: tuple[Disk, ...]
    commandline: Commandline = field(default_factory=Commandline)
    opened: tuple[Opened, ...] = ()
    usb: tuple[UsbHostdev, ...] = ()

    @property
    def passed(self) -> tuple[PciAddress, ...]:
        """The functions of the host that QEMU is given, whichever way."""
        return (*(hostdev.address for hostdev in self.hostdevs), *self.commandline.devices)


def parse(xml: str) -> Domain:
    """Read domain XML (https://libvirt.org/formatdomain.html).

    Raises DomainError if it is not the XML of one domain, or a fact is missing or malformed.
    """
    root = read_tree(xml)
    if root.tag != "domain":
        _refuse(f"the XML describes <{root.tag[:40]}>, not a <domain>")
    commandline = read_commandline(root)
    return Domain(
        name=_name(root),
        uuid=_uuid(root),
        kind=root.get("type") or _refuse("<domain> has no type"),
        memory_bytes=_memory(root),
        hugepages=root.find("memoryBacking/hugepages") is not None,
        hugepage_bytes=_hugepage(root),
        hostdevs=tuple(
            read_hostdev(e, _common_backend(root))
            for e in root.iterfind("devices/hostdev")
            if is_pci_hostdev(e)
        ),
        disks=tuple(disk for e in root.iterfind("devices/disk") if (disk := _disk(e))),
        commandline=commandline,
        opened=read_opened(root, commandline),
        usb=read_usb(root, optional=False),
    )


def _refuse(what: str) -> NoReturn:
    raise DomainError(what, hint=_HINT)


class _Reader:
    """Expat's events into a tree. Expat itself stops at the first exception, ElementTree's
    parser would read on: so a document type is refused before its entities are expanded.
    """

    def __init__(self) -> None:
        self._builder = TreeBuilder()
        self._depth = 0
        self._expat = expat.ParserCreate("utf-8", "}")
        self._expat.buffer_text = True
        self._expat.StartDoctypeDeclHandler = self._doctype
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._expat.CharacterDataHandler = self._builder.data

    def read(self, xml: bytes) -> Element:
        is_final = True
        self._expat.Parse(xml, is_final)
        return self._builder.close()

    def _doctype(self, *_: object) -> None:
        _refuse("the domain XML has a document type (DOCTYPE), which libvirt never writes")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            _refuse(f"the domain XML is nested deeper than {MAX_DEPTH} elements")
        self._builder.start(tag, attributes)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        self._builder.end(tag)


def read_tree(xml: str) -> Element:
    """The elements of domain XML, for readers of more of it. Raises DomainError.

    A namespace stands before the name it belongs to, as ``URI}name``.
    """
    try:
        data = xml.encode()
    except UnicodeEncodeError:
        _refuse("the domain XML is not valid Unicode")
    if len(data) > MAX_BYTES:
        _refuse(f"the domain XML is larger than {MAX_BYTES // 1024**2} MiB")
    try:
        return _Reader().read(data)
    except expat.ExpatError as error:
        where = f"line {error.lineno}, column {error.offset + 1}"
        what = f"the domain XML is not well formed: {expat.ErrorString(error.code)} at {where}"
        raise DomainError(what, hint=_HINT) from error


def _only(root: Element, tag: str) -> str:
    found = root.findall(tag)
    if len(found) != 1:
        _refuse(f"the domain XML has {len(found)} <{tag}>, it needs exactly one")
    return found[0].text or ""


def _name(root: Element) -> str:
    name = _only(root, "name")
    if not name or "/" in name or "\n" in name:
        _refuse(f"libvirt allows no such domain name: {name[:60]!r}")
    return name


def _uuid(root: Element) -> str:
    text = _only(root, "uuid").strip()
    match = _UUID.fullmatch(text.lower())
    if match is None:
        _refuse(f"not a UUID: {text[:60]!r}")
    return "-".join(match.groups())


def _memory(root: Element) -> int:
    element = root.find("memory")
    if element is None:
        _refuse("the domain XML has no <memory>")
    return _scaled((element.text or "").strip(), element.get("unit"), what="<memory>")


def _hugepage(root: Element) -> int | None:
    """Give the page size for all NUMA nodes, else that of the first <page>."""
    pages = root.findall("memoryBacking/hugepages/page")
    if not pages:
        return None
    page = next((page for page in pages if page.get("nodeset") is None), pages[0])
    return _scaled(page.get("size", ""), page.get("unit"), what="<page>")


def _scaled(number: str, unit: str | None, *, what: str) -> int:
    """Apply libvirt's units: KiB and K are 1024, KB is 1000, in any case (virScaleInteger)."""
    factor = _factor((unit or _DEFAULT_UNIT).lower())
    if factor is None:
        _refuse(f"unknown unit in {what}: {(unit or '')[:20]!r}")
    if not (re.fullmatch("[0-9]{1,19}", number) and 0 < int(number) * factor <= _MAX_MEMORY):
        _refuse(f"not a size in {what}: {number[:40]!r}")
    return int(number) * factor


def _factor(unit: str) -> int | None:
    if unit in ("b", "byte", "bytes"):
        return 1
    match = _UNIT.fullmatch(unit)
    if match is None:
        return None
    base = 1000 if match[2] == "b" else 1024
    return int(base ** (_POWERS.index(match[1]) + 1))


def is_pci_hostdev(element: Element) -> bool:
    """True for a <hostdev> that names a PCI function of the host."""
    return element.get("mode", "subsystem") == "subsystem" and element.get("type") == "pci"


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


def read_hostdev(element: Element, common: str = VFIO) -> Hostdev:
    """Read a PCI <hostdev>. Its <source> names the host's device, its own <address> the guest's.

    ``common`` is the backend of devices that name none.
    Raises DomainError.
    """
    source = element.find("source/address")
    if source is None:
        _refuse("a PCI <hostdev> has no <source> with an <address>")
    rom = element.find("rom")
    options = {} if rom is None else rom.attrib
    return Hostdev(
        address=_address(source),
        managed=element.get("managed") == "yes",
        rom_file=options.get("file") or None,
        rom_bar=options.get("enabled") != "no" and options.get("bar") != "off",
        backend=_own_backend(element, common),
    )


def _address(element: Element) -> PciAddress:
    limits = {"domain": 0xFFFFFFFF, "bus": 0xFF, "slot": 0x1F, "function": 7}
    parts = [_part(element, name, limit=limit) for name, limit in limits.items()]
    if not any(parts[:3]):
        _refuse("a PCI <hostdev> has an empty address")
    return PciAddress(*parts)


def _part(element: Element, name: str, *, limit: int) -> int:
    """Read one number as libvirt does (strtoul with base 0): absent is 0, 0x is hex, 0 octal."""
    text = element.get(name, "0")
    match = _NUMBER.fullmatch(text)
    if match is None:
        _refuse(f"not a number in a PCI address: {name}={text[:20]!r}")
    hexadecimal, octal, decimal = match.groups()
    number = int(hexadecimal or octal or decimal, 16 if hexadecimal else 8 if octal else 10)
    if number > limit:
        _refuse(f"out of range in a PCI address: {name}={text[:20]!r}")
    return number


def _disk(element: Element) -> Disk | None:
    """Read a local disk; None for network disks, empty drives and disks that may be absent."""
    source = element.find("source")
    block = element.get("type") == "block"
    if source is None or not (block or element.get("type") == "file"):
        return None
    path = source.get("dev" if block else "file")
    if not path or source.get("startupPolicy") == "optional":
        return None
    return Disk(path, element.get("device", "disk"), block)
