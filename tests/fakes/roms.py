"""Option ROMs: those of Debian's packages, and small ones made by hand."""

import struct
from pathlib import Path

from vfiod.rom.image import Machine

SEABIOS = Path("/usr/share/seabios")
# Debian moved the files of ipxe-qemu after 12.
IPXE = next(p for p in map(Path, ("/usr/lib/ipxe/qemu", "/usr/share/qemu")) if p.is_dir())
STDVGA = SEABIOS / "vgabios-stdvga.bin"
EFI_E1000 = IPXE / "efi-e1000.rom"
# Without PCI data structure, for cards that are not on PCI.
_NOT_PCI = {"vgabios.bin", "vgabios-isavga.bin", "vgabios-ramfb.bin"}
SHIPPED = sorted(
    path
    for path in (*SEABIOS.glob("vgabios*.bin"), *IPXE.glob("*.rom"))
    if path.name not in _NOT_PCI
)


def image(
    *,
    code_type: int = 0,
    ids: tuple[int, int] = (0x1002, 0x67DF),
    last: bool = True,
    head: bytes = b"\x55\xaa\x02",
) -> bytes:
    """One image of 1 KiB: header, PCI data structure at 0x1c, nothing else."""
    pcir = struct.pack("<4sHHHHB3sHHBB", b"PCIR", *ids, 0, 0x18, 0, b"\0\0\3", 2, 0, code_type,
                       0x80 * last)  # fmt: skip
    return (head.ljust(0x18, b"\0") + struct.pack("<H", 0x1C) + bytes(2) + pcir).ljust(1024, b"\0")


def checksummed(data: bytes) -> bytes:
    """The same image with a last byte that makes the sum of all bytes 0."""
    return data[:-1] + bytes([-sum(data[:-1]) % 256])


def bios_image(*, ids: tuple[int, int] = (0x1002, 0x67DF), last: bool = True) -> bytes:
    """A BIOS image that a BIOS would run."""
    return checksummed(image(ids=ids, last=last))


def uefi_image(
    *,
    machine: int = Machine.X64,
    compressed: bool = False,
    ids: tuple[int, int] = (0x1002, 0x67DF),
    last: bool = True,
) -> bytes:
    """A UEFI image with its header and no driver in it."""
    head = b"\x55\xaa" + struct.pack("<HIHHH", 2, 0x0EF1, 11, machine, compressed)
    return image(code_type=3, ids=ids, last=last, head=head)


def vfct(*entries: tuple[tuple[int, int, int], tuple[int, int], bytes], offset: int = 76) -> bytes:
    """An ACPI table VFCT: (bus, slot, function), (vendor, device) and content of each image."""
    body = b"".join(
        struct.pack("<IIIHHHHII", *place, *ids, 0, 0, 0, len(data)) + data
        for place, ids, data in entries
    )
    fixed = struct.pack("<4sI28x16xII16x", b"VFCT", offset + len(body), offset, 0)
    return fixed.ljust(offset, b"\0") + body
