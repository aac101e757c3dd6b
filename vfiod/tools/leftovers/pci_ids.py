"""Lists of PCI ids as vfio-pci and pci-stub take them. Pure.

Source: kernel, drivers/vfio/pci/vfio_pci.c (vfio_pci_fill_ids) and drivers/pci/pci.h
(pci_match_one_device).
"""

from collections.abc import Iterator

from vfiod.host.facts.pci import PciDevice
from vfiod.model import PciFunction

_ANY = 0xFFFFFFFF
# Vendor and device must be there; then subvendor, subdevice, class and the mask of the class.
_NEEDED = 2
_REST = (_ANY, _ANY, 0, 0)


def names(text: str, function: PciFunction) -> bool:
    """True if VENDOR:DEVICE[:SUBVENDOR[:SUBDEVICE[:CLASS[:MASK]]]] is about ``function``."""
    fields = tuple(_fields(text))
    if len(fields) < _NEEDED:
        return False
    *ids, code, mask = (*fields, *_REST[len(fields) - _NEEDED :])
    board = function.subsystem if isinstance(function, PciDevice) else None
    present = (function.vendor, function.device, *(board or ids[_NEEDED:]))
    same = all(wanted in (_ANY, it) for wanted, it in zip(ids, present, strict=True))
    return same and not (code ^ function.class_code) & mask


def _fields(text: str) -> Iterator[int]:
    """Hexadecimal numbers up to the first thing that is none, as sscanf reads them."""
    for field in text.split(":")[: _NEEDED + len(_REST)]:
        try:
            yield int(field, 16) & _ANY
        except ValueError:
            return
