"""What is said about a ROM: each sentence has a ROM that brings it out and one that does not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.roms import EFI_E1000, SHIPPED, STDVGA, bios_image, image, uefi_image
from vfiod.model import PciAddress, PciFunction
from vfiod.rom.check import SHADOW_BYTES, describe, examine
from vfiod.rom.image import Machine, parse
from vfiod.util.finding import Finding, Level, worst

CARD = PciFunction(PciAddress.parse("0000:01:00.0"), 0x1002, 0x67DF, 0x030000)
BOTH = bios_image(last=False) + uefi_image()


def facts(data: bytes, card: PciFunction | None = None) -> dict[Level, str]:
    """All sentences of each level, joined."""
    found = examine(data, card)
    assert all(f.remedy for f in found if f.level is Level.WARN)
    return {level: "; ".join(f.fact for f in found if f.level is level) for level in Level}


def test_a_good_rom_has_no_but() -> None:
    found = facts(BOTH, CARD)
    assert found[Level.WARN] == found[Level.FAIL] == ""
    assert "an option ROM: BIOS, UEFI for x86-64" in found[Level.OK]
    assert "made for the card 0000:01:00.0 [1002:67df]" in found[Level.OK]
    assert "(SeaBIOS) can start" in found[Level.OK]
    assert "(OVMF) can start" in found[Level.OK]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_roms_lack_at_most_a_uefi_image(path: Path) -> None:
    warnings = [f.fact for f in examine(path.read_bytes()) if f.level is not Level.OK]
    lacking = not path.name.startswith("efi-")
    assert ["no UEFI image" in fact for fact in warnings] == [True] * lacking


def test_without_a_card_it_is_told_whose_it_is() -> None:
    assert "made for 1234:1111" in facts(STDVGA.read_bytes())[Level.OK]


def test_the_rom_of_another_card_fails() -> None:
    found = facts(EFI_E1000.read_bytes(), CARD)
    assert found[Level.FAIL] == "the ROM is for 8086:100e, the card is 1002:67df"


def test_what_is_no_rom_fails_with_its_remedy() -> None:
    (finding,) = examine(b"NVGI" + bytes(600) + BOTH, CARD)
    assert finding.level is Level.FAIL
    assert "604 bytes of header (NVGI" in finding.fact
    assert "--fix" in finding.remedy


def test_a_wrong_sum_is_told() -> None:
    found = facts(bios_image(last=False)[:-1] + b"\x77" + uefi_image())
    assert "BIOS image at 0x0 do not add up to 0" in found[Level.WARN]
    assert "SeaBIOS) can" not in found[Level.OK]
    assert "OVMF) can" in found[Level.OK]


def test_a_bios_alone_is_not_enough_for_ovmf() -> None:
    assert "no UEFI image for x86-64: a guest with UEFI" in facts(bios_image())[Level.WARN]


@pytest.mark.parametrize(
    ("machine", "name"),
    [(Machine.AARCH64, "ARM64"), (Machine.IA32, "32-bit x86"), (0x1234, "machine type 0x1234")],
)
def test_a_uefi_image_for_another_machine_is_not_enough(machine: int, name: str) -> None:
    found = facts(uefi_image(machine=machine))
    assert f"(only for {name})" in found[Level.WARN]
    assert "OVMF) can" not in found[Level.OK]


def test_one_of_several_uefi_images_is_enough() -> None:
    data = uefi_image(machine=Machine.AARCH64, last=False) + uefi_image(machine=Machine.EBC)
    assert "no UEFI image" not in facts(data)[Level.WARN]


def test_a_uefi_image_without_header_fails() -> None:
    found = facts(image(code_type=3))
    assert "the UEFI image at 0x0 has no UEFI header" in found[Level.FAIL]


def test_images_that_are_missing_are_told() -> None:
    assert "not marked as the last" in facts(bios_image(last=False))[Level.WARN]
    assert "not marked as the last" not in facts(BOTH)[Level.WARN]
    nvidia = uefi_image(last=False) + b"\x77\xbb" + bytes(510)
    assert "not marked" not in facts(nvidia)[Level.WARN]
    assert "the vendor's data, harmless" in facts(nvidia)[Level.OK]


@pytest.mark.parametrize("byte", [b"\0", b"\xff"])
def test_padding_is_told_apart_from_data(byte: bytes) -> None:
    assert "512 bytes of padding follow" in facts(BOTH + byte * 512)[Level.OK]
    assert "513 bytes follow" in facts(BOTH + byte * 512 + b"x")[Level.OK]
    assert "follow" not in facts(BOTH)[Level.OK]


def test_the_copy_of_old_firmware_is_recognised() -> None:
    copy = bios_image().ljust(SHADOW_BYTES, b"\x12")
    assert "the copy in main memory" in facts(copy)[Level.WARN]
    assert "main memory" not in facts(copy + b"\0")[Level.WARN]
    assert "main memory" not in facts(bios_image().ljust(SHADOW_BYTES // 2))[Level.WARN]
    assert "main memory" not in facts(BOTH.ljust(SHADOW_BYTES, b"\x12"))[Level.WARN]


def test_what_was_read_as_a_copy_is_called_one() -> None:
    findings = examine(BOTH, CARD, shadowed=True)
    assert "the copy in main memory" in findings[-1].fact
    assert "--rescan" in findings[-1].remedy


def test_kinds_of_images_have_names() -> None:
    kinds = [describe(parse(image(code_type=code)).images[0]) for code in (0, 1, 2, 0xE0)]
    assert kinds == ["BIOS", "Open Firmware", "HP PA-RISC", "vendor's code type 0xe0"]
    packed = parse(uefi_image(compressed=True)).images[0]
    assert describe(packed) == "UEFI for x86-64, compressed"


def test_the_worst_decides() -> None:
    ok, warn, fail = (Finding("check", level, "") for level in Level)
    assert worst([]) is Level.OK
    assert worst([warn, ok]) is Level.WARN
    assert worst([ok, fail, warn]) is Level.FAIL


@given(st.integers(0, len(BOTH) - 1), st.binary(min_size=1, max_size=8), st.integers(0, 3000))
def test_any_damage_is_examined(at: int, new: bytes, end: int) -> None:
    assert examine((BOTH[:at] + new + BOTH[at + len(new) :])[:end], CARD)
