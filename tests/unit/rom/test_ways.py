"""What is left to try, one command a line; a way that leads nowhere is not told."""

import re
from dataclasses import replace

import pytest

from tests.fakes import pcs
from tests.printed import whole
from tests.test_printed import fault
from vfiod.model import DisplayOutput, PciAddress, PciFunction
from vfiod.rom import access
from vfiod.rom.access import Card
from vfiod.rom.sources import RomRegion

OWN, SHADOW = RomRegion(2**17, shadow=False), RomRegion(2**17, shadow=True)


def card(driver: str | None, region: RomRegion | None, *copies: str) -> Card:
    function = pcs.bare(vga=driver).pci.function(pcs.VGA)
    return Card(function, region, DisplayOutput(connected=("DP-1",)), copies=copies)


def commands(hint: str) -> list[str]:
    return [line.strip() for line in hint.splitlines() if not re.match(r"\d\. ", line)]


def test_nvidia_s_modules_go_and_come_back_around_the_dump() -> None:
    hint = access.remedy(card("nvidia", OWN))
    assert commands(hint)[:5] == [
        "sudo systemctl stop display-manager",
        "sudo modprobe -r nvidia_drm nvidia_modeset nvidia_uvm nvidia",
        f"sudo vfiod rom dump {pcs.VGA} FILE",
        "sudo modprobe nvidia_drm",
        "sudo systemctl start display-manager",
    ]
    assert "--from" not in hint
    assert re.findall(r"(?m)^\d", hint) == ["1", "2", "3"]


def test_a_copy_is_named_only_where_there_is_one() -> None:
    assert "--from vfct" in access.remedy(card("amdgpu", SHADOW, "vfct"))
    assert "--from" not in access.remedy(card("amdgpu", SHADOW))


def test_a_shadowed_card_that_is_free_is_found_anew_without_ending_the_desktop() -> None:
    hint = access.remedy(card("amdgpu", SHADOW))
    assert commands(hint)[0] == f"sudo vfiod rom dump {pcs.VGA} FILE --rescan"
    assert "display-manager" not in hint


@pytest.mark.parametrize("driver", ["nvidia", "amdgpu"])
def test_a_locked_kernel_finds_no_card_anew(driver: str) -> None:
    hint = access.remedy(replace(card(driver, SHADOW, "vfct"), locked=True))
    assert "--rescan" not in hint
    assert "display-manager" not in hint
    assert "--from vfct" in hint


def test_a_locked_kernel_reads_a_rom_that_shows() -> None:
    assert "display-manager" in access.remedy(replace(card("nvidia", OWN), locked=True))


def graphics(region: RomRegion | None) -> Card:
    """Of an Intel processor."""
    function = PciFunction(PciAddress.parse("00:02.0"), 0x8086, 0x3E92, 0x030000, driver="i915")
    return Card(function, region, DisplayOutput(connected=("DP-1",)))


@pytest.mark.parametrize("region", [SHADOW, None])
def test_intel_s_graphics_has_no_rom_to_be_dumped(region: RomRegion | None) -> None:
    hint = access.remedy(graphics(region))
    assert "rom dump" not in hint
    assert "vfiod rom check FILE --for 0000:00:02.0" in hint


def test_intel_s_graphics_is_not_found_anew() -> None:
    refused = access.rescan_objection(graphics(SHADOW))
    assert refused is not None
    assert "in the firmware" in refused.message


def test_intel_s_card_in_a_slot_has_a_rom() -> None:
    card = graphics(SHADOW)
    there = replace(card.function, address=PciAddress.parse("03:00.0"))
    assert "--rescan" in access.remedy(replace(card, function=there))


def test_a_card_without_a_rom_is_not_worth_ending_the_desktop() -> None:
    assert "display-manager" not in access.remedy(card("nvidia", None))


@pytest.mark.parametrize("driver", ["nvidia", "amdgpu", None])
@pytest.mark.parametrize("region", [OWN, SHADOW, None])
def test_every_command_can_be_typed(driver: str | None, region: RomRegion | None) -> None:
    lines = commands(access.remedy(card(driver, region, "driver", "vfct")))
    for command in (command for line in lines for command in whole(line, "a way")):
        assert fault(command) is None, command
