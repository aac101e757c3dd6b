"""PCI option ROMs: bytes -> the images in them, and whose they are.

The structure is that of the PCI Firmware Specification, section 5, read as the kernel reads it
(drivers/pci/rom.c). Pure: bytes in, values out; messages name no file, the caller knows it.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from itertools import takewhile
from typing import NoReturn

from vfiod.errors import RomError

MAX_BYTES = 16 * 1024 * 1024

_SIGNATURE = b"\x55\xaa"
_POINTER = 0x18  # in the header: where the PCI data structure is
_PCIR = struct.Struct("<4sHHHHB3xHHBB")
_DEVICE_LISTS_SINCE = 3  # revision of the PCI data structure
_MAX_LISTED = 1024
_LAST = 0x80
_UNIT = 512
_WRAPPED_WITHIN = 1024 * 1024
_DUMP_AGAIN = "Dump the whole ROM again, or get the one made for this very card"


class CodeType(IntEnum):
    """Who can run an image; other numbers are the vendor's own."""

    BIOS = 0
    OPEN_FIRMWARE = 1
    HPPA = 2
    UEFI = 3


@dataclass(frozen=True, slots=True)
class RomImage:
    """One image; ``more_devices`` are the ids that its device list adds to ``device``."""

    offset: int
    length: int
    vendor: int
    device: int
    code_type: int
    last: bool
    more_devices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Rom:
    """A chain of images, of which the firmware runs the one it can."""

    images: tuple[RomImage, ...]

    @property
    def has_uefi(self) -> bool:
        """True if a guest with UEFI firmware can start the card with it."""
        return any(image.code_type == CodeType.UEFI for image in self.images)

    @property
    def ids(self) -> tuple[tuple[int, int], ...]:
        """The (vendor, device) pairs the images are made for, each once, in order."""
        pairs = ((i.vendor, device) for i in self.images for device in (i.device, *i.more_devices))
        return tuple(dict.fromkeys(pairs))


def parse(data: bytes) -> Rom:
    """Read a whole ROM. Raises RomError if it is none, or not whole."""
    if not data:
        _refuse("the ROM is empty")
    if len(data) > MAX_BYTES:
        _refuse(f"the ROM has {len(data)} bytes, more than the {MAX_BYTES} PCI allows")
    if not data.startswith(_SIGNATURE):
        _refuse_beginning(data)
    images = [_image(data, 0)]
    while not images[-1].last:
        end = images[-1].offset + images[-1].length
        if data[end : end + 2] != _SIGNATURE:
            _refuse(f"the ROM has no last image: nothing follows the one that ends at {end:#x}")
        images.append(_image(data, end))
    return Rom(tuple(images))


def check(data: bytes, *, vendor: int, device: int) -> Rom:
    """Read a ROM that must be made for the card with these ids.

    Raises RomError as ``parse`` does, and if no image names the card.
    """
    rom = parse(data)
    if (vendor, device) not in rom.ids:
        made_for = ", ".join(f"{v:04x}:{d:04x}" for v, d in rom.ids[:4])
        more = ", ..." if len(rom.ids) > 4 else ""
        what = f"the ROM is for {made_for}{more}, the card is {vendor:04x}:{device:04x}"
        raise RomError(what, hint="Use the ROM made for this very card")
    return rom


def _refuse(what: str) -> NoReturn:
    raise RomError(what, hint=_DUMP_AGAIN)


def _refuse_beginning(data: bytes) -> NoReturn:
    """Say why it is no ROM. nvflash and GPU-Z put a header before it, which QEMU cannot skip."""
    start = _find_image(data)
    nvidia = " (NVGI, by nvflash or GPU-Z)" if data.startswith(b"NVGI") else ""
    if start is not None:
        what = f"the ROM does not start with 55 AA: {start} bytes of header{nvidia} precede it"
        raise RomError(what, hint=f"Cut them off: tail -c +{start + 1} OLD > NEW")
    _refuse(f"not an option ROM: it does not start with 55 AA{nvidia}")


def _find_image(data: bytes) -> int | None:
    start = data.find(_SIGNATURE, 0, _WRAPPED_WITHIN)
    while start >= 0:
        pcir = _data_structure(data, start)
        if data[pcir : pcir + 4] == b"PCIR":
            return start
        start = data.find(_SIGNATURE, start + 1, _WRAPPED_WITHIN)
    return None


def _data_structure(data: bytes, offset: int) -> int:
    """Say where the PCI data structure of the image at ``offset`` is; past the end if nowhere."""
    pointer = data[offset + _POINTER : offset + _POINTER + 2]
    return offset + int.from_bytes(pointer, "little") if len(pointer) == 2 else len(data)


def _image(data: bytes, offset: int) -> RomImage:
    pcir = _data_structure(data, offset)
    if pcir + _PCIR.size > len(data):
        _refuse(f"the ROM is cut off or damaged: it ends within the image at {offset:#x}")
    fields = _PCIR.unpack_from(data, pcir)
    signature, vendor, device, devices, _, revision, units, _, code_type, indicator = fields
    if signature != b"PCIR":
        _refuse(f"the ROM is damaged: the image at {offset:#x} has no PCI data structure (PCIR)")
    if not units:
        _refuse(f"the ROM is damaged: the image at {offset:#x} has length 0")
    if offset + units * _UNIT > len(data):
        end = offset + units * _UNIT
        _refuse(f"the ROM is cut off: it has {len(data)} bytes, an image of it ends at {end}")
    listed = devices and revision >= _DEVICE_LISTS_SINCE
    return RomImage(
        offset=offset,
        length=units * _UNIT,
        vendor=vendor,
        device=device,
        code_type=code_type,
        last=bool(indicator & _LAST),
        more_devices=_device_list(data[pcir + devices : offset + units * _UNIT]) if listed else (),
    )


def _device_list(data: bytes) -> tuple[int, ...]:
    """Read 16-bit device ids up to 0, but not endlessly."""
    whole = data[: min(len(data) // 2, _MAX_LISTED) * 2]
    return tuple(takewhile(bool, (device for (device,) in struct.iter_unpack("<H", whole))))
