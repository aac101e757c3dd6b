"""Where a card's ROM could be had from on this machine. Looks only; nothing is switched on."""

import os
from dataclasses import dataclass
from pathlib import Path

from vfiod.errors import HostError
from vfiod.model import PciAddress
from vfiod.rom.image import MAX_BYTES
from vfiod.util import sysfs

SHADOW_ADDRESS = 0xC0000

_ROM_LINE = 6  # of "resource", after the six BARs (kernel: Documentation/PCI/sysfs-pci.rst)
_ROM_SHADOW = 1 << 1  # IORESOURCE_ROM_SHADOW (kernel: include/linux/ioport.h)
_DRIVER_COPIES = ("amdgpu_vbios", "vbios.rom")


@dataclass(frozen=True, slots=True)
class RomRegion:
    """The region behind a function's ``rom`` attribute, its size in bytes.

    ``shadow``: it is not the card's ROM but the memory at 0xC0000, where old firmware keeps a
    copy for the boot display (kernel: arch/x86/pci/fixup.c, pci_fixup_video). That stays so
    until the next boot, whatever driver has the card.
    """

    size: int
    shadow: bool


def rom_region(address: PciAddress, root: Path = Path("/")) -> RomRegion | None:
    """What the kernel would read a function's ROM from; None if it has nothing."""
    device = root / "sys/bus/pci/devices" / str(address)
    lines = (sysfs.read(device / "resource") or "").splitlines()
    if not (device / "rom").exists() or len(lines) <= _ROM_LINE:
        return None
    start, end, flags = (int(field, 16) for field in lines[_ROM_LINE].split())
    return RomRegion(size=end - start + 1, shadow=bool(flags & _ROM_SHADOW))


def vfct_table(root: Path = Path("/")) -> bytes | None:
    """The ACPI table VFCT, or None if the firmware made none.

    Raises HostError if it cannot be read: only root may.
    """
    return _read_as_root(root / "sys/firmware/acpi/tables/VFCT")


def driver_copy(address: PciAddress, root: Path = Path("/")) -> bytes | None:
    """The copy of the BIOS that the card's driver keeps in memory, or None if it shows none.

    amdgpu and nouveau read it in ways of their own, which work for the boot display too, and
    show it in debugfs (kernel: amdgpu_debugfs.c, nouveau_debugfs.c). Raises HostError.
    """
    for card in sysfs.names(root / "sys/bus/pci/devices" / str(address) / "drm"):
        if card.startswith("card"):
            folder = root / "sys/kernel/debug/dri" / card.removeprefix("card")
            found = (_read_as_root(folder / name) for name in _DRIVER_COPIES)
            return next(filter(None, found), None)
    return None


def _read_as_root(path: Path) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        hint = "" if os.geteuid() == 0 else "Run it with sudo"
        raise HostError(f"cannot read {path}: {error.strerror}", hint) from error
