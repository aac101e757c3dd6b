"""How much memory a domain has, and in which pages. Pure.

https://libvirt.org/formatdomain.html#memory-allocation, #memory-backing
"""

import re
from xml.etree.ElementTree import Element

from vfiod.guest.document import refuse

_DEFAULT_UNIT = "KiB"
_POWERS = "kmgtpe"
_UNIT = re.compile(rf"([{_POWERS}])(b|ib)?", re.ASCII)
_MAX_MEMORY = 2**63 - 1


def read_memory(root: Element) -> int:
    """Bytes of memory. Raises DomainError."""
    element = root.find("memory")
    if element is None:
        refuse("the domain XML has no <memory>")
    return _scaled((element.text or "").strip(), element.get("unit"), what="<memory>")


def read_pieces(root: Element) -> tuple[int, ...]:
    """Bytes of each piece that QEMU allocates by itself: NUMA cells and DIMMs, else all of it.

    Raises DomainError.
    """
    cells = (c for c in root.iterfind("cpu/numa/cell") if c.get("memory"))
    pieces = [_scaled(c.get("memory", ""), c.get("unit"), what="<cell>") for c in cells]
    for size in root.iterfind("devices/memory[@model='dimm']/target/size"):
        pieces.append(_scaled((size.text or "").strip(), size.get("unit"), what="<size>"))
    return tuple(pieces) or (read_memory(root),)


def read_hugepage(root: Element) -> int | None:
    """Bytes of a huge page: that for all NUMA nodes, else that of the first <page>.

    None if no size is asked for. Raises DomainError.
    """
    pages = root.findall("memoryBacking/hugepages/page")
    if not pages:
        return None
    page = next((page for page in pages if page.get("nodeset") is None), pages[0])
    return _scaled(page.get("size", ""), page.get("unit"), what="<page>")


def is_memfd(root: Element) -> bool:
    """True if the memory is in no file system: its huge pages are had without a hugetlbfs."""
    return root.find("memoryBacking/source[@type='memfd']") is not None


def _scaled(number: str, unit: str | None, *, what: str) -> int:
    """Apply libvirt's units: KiB and K are 1024, KB is 1000, in any case (virScaleInteger)."""
    factor = _factor((unit or _DEFAULT_UNIT).lower())
    if factor is None:
        refuse(f"unknown unit in {what}: {(unit or '')[:20]!r}")
    if not (re.fullmatch("[0-9]{1,19}", number) and 0 < int(number) * factor <= _MAX_MEMORY):
        refuse(f"not a size in {what}: {number[:40]!r}")
    return int(number) * factor


def _factor(unit: str) -> int | None:
    if unit in ("b", "byte", "bytes"):
        return 1
    match = _UNIT.fullmatch(unit)
    if match is None:
        return None
    base = 1000 if match[2] == "b" else 1024
    return int(base ** (_POWERS.index(match[1]) + 1))
