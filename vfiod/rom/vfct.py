"""The ACPI table VFCT: copies of AMD cards' images that the PC's firmware made at boot.

The structure is the one amdgpu reads (kernel: drivers/gpu/drm/amd/include/atombios.h,
UEFI_ACPI_VFCT and VFCT_IMAGE_HEADER). Pure, and bounded by the table's own length.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from vfiod.errors import RomError
from vfiod.model import PciFunction

_TABLE = struct.Struct("<4sI44xI")  # signature, length, offset of the first image
_IMAGE = struct.Struct("<IIIHHHHII")
_BROKEN = "The PC's firmware made it; an update of the firmware may help"


@dataclass(frozen=True, slots=True)
class VfctImage:
    """One image and the card it is of. The table knows no PCI domain: it is 0."""

    bus: int
    slot: int
    function: int
    vendor: int
    device: int
    data: bytes


def parse(table: bytes) -> tuple[VfctImage, ...]:
    """All images of a table up to its end or to the first that is not whole.

    Raises RomError if it is no such table, or if none is whole.
    """
    if len(table) < _TABLE.size or not table.startswith(b"VFCT"):
        raise RomError("not a VFCT table", hint=_BROKEN)
    _, length, offset = _TABLE.unpack_from(table)
    if not _TABLE.size <= length <= len(table) or offset < _TABLE.size:
        raise RomError(f"the VFCT table is damaged: length {length}, first image at {offset}",
                       hint=_BROKEN)  # fmt: skip
    images: list[VfctImage] = []
    while offset < length:
        try:
            images.append(_image(table[:length], offset))
        except RomError:
            if images:
                break
            raise
        offset += _IMAGE.size + len(images[-1].data)
    return tuple(image for image in images if image.data)


def find(images: Sequence[VfctImage], card: PciFunction) -> VfctImage | None:
    """The image of a card, or None.

    Linux may number the buses otherwise than the firmware did: an image of that kind of card
    that is the only one is taken wherever it says the card is.
    """
    same_kind = [i for i in images if (i.vendor, i.device) == (card.vendor, card.device)]
    at = (card.address.bus, card.address.slot, card.address.function)
    for image in same_kind:
        if card.address.domain == 0 and (image.bus, image.slot, image.function) == at:
            return image
    return same_kind[0] if len(same_kind) == 1 else None


def _image(table: bytes, offset: int) -> VfctImage:
    start = offset + _IMAGE.size
    if start > len(table):
        raise RomError(f"the VFCT table is damaged: it ends within the header at {offset:#x}",
                       hint=_BROKEN)  # fmt: skip
    bus, slot, function, vendor, device, _, _, _, length = _IMAGE.unpack_from(table, offset)
    if start + length > len(table):
        raise RomError(f"the VFCT table is damaged: it ends within the image at {start:#x}",
                       hint=_BROKEN)  # fmt: skip
    return VfctImage(bus, slot, function, vendor, device, table[start : start + length])
