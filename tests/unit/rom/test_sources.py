"""Where a ROM could be had from, on trees of files that stand in for the machine."""

import os
from pathlib import Path

import pytest

from tests.fakes.tree import Contents, grow, pci_function
from vfiod.errors import HostError
from vfiod.model import PciAddress
from vfiod.rom.sources import RomRegion, driver_copy, rom_region, vfct_table

VGA = PciAddress.parse("0000:01:00.0")
BAR = "0x00000000f6000000 0x00000000f6ffffff 0x0000000000040200\n"


def card(root: Path, **files: Contents) -> None:
    grow(root, pci_function(str(VGA), more={k.replace("__", "/"): v for k, v in files.items()}))


@pytest.mark.parametrize(
    ("line", "region"),
    [
        # As a PC showed them: an ordinary card, and the boot display under UEFI firmware.
        (
            "0x0000000081000000 0x000000008100ffff 0x0000000000046200",
            RomRegion(0x10000, shadow=False),
        ),
        (
            "0x00000000000c0000 0x00000000000dffff 0x0000000000000212",
            RomRegion(0x20000, shadow=True),
        ),
    ],
)
def test_the_region_of_a_rom(tmp_path: Path, line: str, region: RomRegion) -> None:
    card(tmp_path, resource=BAR * 6 + line + "\n", rom=b"")
    assert rom_region(VGA, tmp_path) == region


def test_a_card_without_rom_has_no_region(tmp_path: Path) -> None:
    none = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
    card(tmp_path, resource=BAR * 6 + none)
    assert rom_region(VGA, tmp_path) is None
    assert rom_region(PciAddress.parse("0000:09:00.0"), tmp_path) is None


def test_a_short_list_of_regions_is_survived(tmp_path: Path) -> None:
    card(tmp_path, resource=BAR, rom=b"")
    assert rom_region(VGA, tmp_path) is None


def test_the_vfct_table_is_read(tmp_path: Path) -> None:
    assert vfct_table(tmp_path) is None
    grow(tmp_path, {"sys/firmware/acpi/tables/VFCT": b"VFCT\xff\0"})
    assert vfct_table(tmp_path) == b"VFCT\xff\0"


@pytest.mark.parametrize("name", ["amdgpu_vbios", "vbios.rom"])
def test_the_driver_s_copy_is_found_by_the_number_of_the_card(tmp_path: Path, name: str) -> None:
    card(tmp_path, drm__card1__dev="226:1", drm__renderD128__dev="226:128")
    grow(tmp_path, {
        f"sys/kernel/debug/dri/0/{name}": b"another card's",
        f"sys/kernel/debug/dri/1/{name}": b"\x55\xaa",
    })  # fmt: skip
    assert driver_copy(VGA, tmp_path) == b"\x55\xaa"


def test_a_driver_may_show_no_copy(tmp_path: Path) -> None:
    assert driver_copy(VGA, tmp_path) is None
    card(tmp_path, drm__card0__dev="226:0")
    assert driver_copy(VGA, tmp_path) is None
    grow(tmp_path, {"sys/kernel/debug/dri/0/vbios.rom": b""})
    assert driver_copy(VGA, tmp_path) is None


def test_what_only_root_may_read_is_said(tmp_path: Path) -> None:
    """A directory fails for root too."""
    (tmp_path / "sys/firmware/acpi/tables/VFCT").mkdir(parents=True)
    with pytest.raises(HostError, match="cannot read") as caught:
        vfct_table(tmp_path)
    assert caught.value.hint == ("" if os.geteuid() == 0 else "Run it with sudo")
