"""PCI option ROMs: bytes -> the images in them, and whose they are.

The structure is that of the PCI Firmware Specification, section 5, read as the kernel reads it
(drivers/pci/rom.c); the header of a UEFI image is that of the UEFI Specification, section 14.4.
Pure: bytes in, values out; messages name no file, the caller knows it.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from itertools import takewhile
from typing import NoReturn

from vfiod.errors import RomError

MAX_BYTES = 16 * 1024 * 1024

_SIGNATURE = b"\x55\xaa"
# NVIDIA's own images behind the standard ones start otherwise (nouveau: nvkm/subdev/bios/image.c).
_VENDOR_SIGNATURES = (b"\x77\xbb", b"VN")
_POINTER = 0x18  # in the header: where the PCI data structure is
_PCIR = struct.Struct("<4sHHHHB3sHHBB")
_UEFI = struct.Struct("<HIHHH")  # from byte 2: size, signature, subsystem, machine, compression
_UEFI_SIGNATURE = 0x0EF1
_DEVICE_LISTS_SINCE = 3  # revision of the PCI data structure
_MAX_LISTED = 1024
# A tool that makes a ROM of a driver alone may name no device (edk2: EfiRom -i 0xffff).
_ANY_DEVICE = 0xFFFF
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


class Machine(IntEnum):
    """What a UEFI image is made for (UEFI Specification, section 2.1.1)."""

    IA32 = 0x014C
    ARM = 0x01C2
    ITANIUM = 0x0200
    EBC = 0x0EBC
    RISCV64 = 0x5064
    X64 = 0x8664
    AARCH64 = 0xAA64


@dataclass(frozen=True, slots=True)
class UefiDriver:
    """Header of a UEFI image: its machine type, and whether the driver in it is compressed."""

    machine: int
    compressed: bool


@dataclass(frozen=True, slots=True)
class RomImage:
    """One image; ``more_devices`` are the ids that its device list adds to ``device``.

    ``sum_is_zero`` is None except for BIOS images, which firmware runs only if their bytes add
    up to 0 (SeaBIOS: src/optionroms.c). ``uefi`` is None except for whole UEFI images.
    """

    offset: int
    length: int
    vendor: int
    device: int
    code_type: int
    last: bool
    more_devices: tuple[int, ...] = ()
    class_code: int = 0
    sum_is_zero: bool | None = None
    uefi: UefiDriver | None = None

    @property
    def end(self) -> int:
        """Where the next image would start."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Rom:
    """A chain of images, of which the firmware runs the one it can."""

    images: tuple[RomImage, ...]

    @property
    def has_uefi(self) -> bool:
        """True if a guest with UEFI firmware can start the card with it."""
        return any(image.code_type == CodeType.UEFI for image in self.images)

    @property
    def complete(self) -> bool:
        """False if the chain breaks off: its last image does not say that it is the last."""
        return self.images[-1].last

    @property
    def end(self) -> int:
        """Bytes from the start to the end of the last image."""
        return self.images[-1].end

    @property
    def ids(self) -> tuple[tuple[int, int], ...]:
        """The (vendor, device) pairs the images are made for, each once, in order."""
        pairs = ((i.vendor, device) for i in self.images for device in (i.device, *i.more_devices))
        return tuple(dict.fromkeys(pairs))


def parse(data: bytes) -> Rom:
    """Read a ROM. Raises RomError if it is none, or if an image in it is not whole."""
    if not data:
        _refuse("the ROM is empty")
    if len(data) > MAX_BYTES:
        _refuse(f"the ROM has {len(data)} bytes, more than the {MAX_BYTES} PCI allows")
    if not data.startswith(_SIGNATURE):
        _refuse_beginning(data)
    images = [_image(data, 0)]
    while not images[-1].last and data[images[-1].end :].startswith(_SIGNATURE):
        images.append(_image(data, images[-1].end))
    return Rom(tuple(images))


def check(data: bytes, *, vendor: int, device: int) -> Rom:
    """Read a ROM that must be made for the card with these ids.

    Raises RomError as ``parse`` does, and if no image names the card.
    """
    rom = parse(data)
    if not {(vendor, device), (vendor, _ANY_DEVICE)}.intersection(rom.ids):
        what = f"the ROM is for {made_for(rom)}, the card is {vendor:04x}:{device:04x}"
        raise RomError(what, hint="Use the ROM made for this very card")
    return rom


def made_for(rom: Rom) -> str:
    """The ids a ROM names, shortened: ``1002:67df, 1002:67ef``."""
    more = ", ..." if len(rom.ids) > 4 else ""
    return ", ".join(_named(vendor, device) for vendor, device in rom.ids[:4]) + more


def _named(vendor: int, device: int) -> str:
    return f"any device of {vendor:04x}" if device == _ANY_DEVICE else f"{vendor:04x}:{device:04x}"


def header_before(data: bytes) -> int:
    """Bytes that a tool put before the ROM; 0 if there are none, or if no ROM follows them."""
    if data.startswith(_SIGNATURE):
        return 0
    start = data.find(_SIGNATURE, 0, _WRAPPED_WITHIN)
    while start > 0:
        pcir = _data_structure(data, start)
        if data[pcir : pcir + 4] == b"PCIR":
            return start
        start = data.find(_SIGNATURE, start + 1, _WRAPPED_WITHIN)
    return 0


def vendor_data_follows(data: bytes, rom: Rom) -> bool:
    """True if NVIDIA's own images, which no firmware runs, follow the standard ones."""
    return data[rom.end : rom.end + 2] in _VENDOR_SIGNATURES


def _refuse(what: str) -> NoReturn:
    raise RomError(what, hint=_DUMP_AGAIN)


def _refuse_beginning(data: bytes) -> NoReturn:
    """Say why it is no ROM. nvflash and GPU-Z put a header before it, which QEMU cannot skip."""
    nvidia = " (NVGI, by nvflash or GPU-Z)" if data.startswith(b"NVGI") else ""
    if header := header_before(data):
        what = f"the ROM does not start with 55 AA: {header} bytes of header{nvidia} precede it"
        raise RomError(what, hint="Cut them off: vfiod rom check OLD --fix NEW")
    for byte, name in ((b"\xff", "FF"), (b"\0", "00")):
        if not data.strip(byte):
            _refuse(f"not an option ROM: every byte is {name}, so the card did not answer")
    _refuse(f"not an option ROM: it does not start with 55 AA{nvidia}")


def _data_structure(data: bytes, offset: int) -> int:
    """Say where the PCI data structure of the image at ``offset`` is; past the end if nowhere."""
    pointer = data[offset + _POINTER : offset + _POINTER + 2]
    return offset + int.from_bytes(pointer, "little") if len(pointer) == 2 else len(data)


def _image(data: bytes, offset: int) -> RomImage:
    pcir = _data_structure(data, offset)
    if pcir + _PCIR.size > len(data):
        _refuse(f"the ROM is cut off or damaged: it ends within the image at {offset:#x}")
    fields = _PCIR.unpack_from(data, pcir)
    signature, vendor, device, devices, _, revision, code, units, _, code_type, indicator = fields
    if signature != b"PCIR":
        _refuse(f"the ROM is damaged: the image at {offset:#x} has no PCI data structure (PCIR)")
    if not units:
        _refuse(f"the ROM is damaged: the image at {offset:#x} has length 0")
    end = offset + units * _UNIT
    if end > len(data):
        _refuse(f"the ROM is cut off: it has {len(data)} bytes, an image of it ends at {end}")
    listed = devices and revision >= _DEVICE_LISTS_SINCE
    image = data[offset:end]
    return RomImage(
        offset=offset,
        length=units * _UNIT,
        vendor=vendor,
        device=device,
        code_type=code_type,
        last=bool(indicator & _LAST),
        more_devices=_device_list(data[pcir + devices : end]) if listed else (),
        class_code=int.from_bytes(code, "little"),
        sum_is_zero=_sum_is_zero(image) if code_type == CodeType.BIOS else None,
        uefi=_uefi_driver(image) if code_type == CodeType.UEFI else None,
    )


def _device_list(data: bytes) -> tuple[int, ...]:
    """Read 16-bit device ids up to 0, but not endlessly."""
    whole = data[: min(len(data) // 2, _MAX_LISTED) * 2]
    return tuple(takewhile(bool, (device for (device,) in struct.iter_unpack("<H", whole))))


def _sum_is_zero(image: bytes) -> bool:
    """Byte 2 says how much of the image the firmware copies and adds up."""
    size = image[2] * _UNIT
    return 0 < size <= len(image) and sum(image[:size]) % 256 == 0


def _uefi_driver(image: bytes) -> UefiDriver | None:
    """Read the header of a UEFI image; None if it has none."""
    _, signature, _, machine, compression = _UEFI.unpack_from(image, 2)
    return UefiDriver(machine, bool(compression)) if signature == _UEFI_SIGNATURE else None
