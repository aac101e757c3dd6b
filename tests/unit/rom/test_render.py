"""A card and its ROM in words and as JSON."""

from tests.fakes.roms import bios_image, image, uefi_image
from vfiod.model import DisplayOutput, PciAddress, PciFunction
from vfiod.rom import render
from vfiod.rom.access import Card
from vfiod.rom.sources import RomRegion
from vfiod.util.finding import Finding, Level

VGA = PciAddress.parse("0000:01:00.0")


def card(region: RomRegion | None, driver: str | None = "amdgpu") -> Card:
    function = PciFunction(VGA, 0x1002, 0x67DF, 0x030000, driver=driver, boot_vga=bool(driver))
    return Card(function, region, DisplayOutput(("card0",), ("card0-DP-1",) if driver else ()))


def test_a_boot_display_is_told_with_its_shadow() -> None:
    head, sysfs = render.card(card(RomRegion(2**17, shadow=True)))
    assert head == ("0000:01:00.0 [1002:67df]  driver amdgpu, boot display, screens card0-DP-1")
    assert sysfs.startswith("  sysfs   not the card's ROM but the memory at 0xc0000")


def test_another_card_is_told_with_its_size() -> None:
    head, sysfs = render.card(card(RomRegion(2**17, shadow=False), driver=None))
    assert head == "0000:01:00.0 [1002:67df]  no driver"
    assert sysfs == "  sysfs   a ROM of up to 128.0 KiB"
    assert "no ROM" in render.card(card(None))[1]


def test_other_sources_are_told_in_the_same_column() -> None:
    assert render.source("vfct", 65536) == "  vfct    64.0 KiB"
    assert render.source("driver", "none") == "  driver  none"


def test_a_card_as_json() -> None:
    facts = render.card_json(card(RomRegion(2**17, shadow=True)))
    assert facts["address"] == "0000:01:00.0"
    assert (facts["vendor"], facts["device"], facts["driver"]) == ("1002", "67df", "amdgpu")
    assert facts["sysfs"] == {"size": 131072, "shadow": True}
    assert facts["connected"] == ["card0-DP-1"]
    assert render.card_json(card(None))["sysfs"] is None


def test_a_wrong_sum_stands_out() -> None:
    assert "CHECKSUM WRONG" in render.images(image())[0]
    assert "checksum good" in render.images(bios_image())[0]
    assert "checksum" not in render.images(uefi_image())[0]


def test_remedies_stand_below_their_findings() -> None:
    found = [Finding("a", Level.OK, "fine"), Finding("b", Level.FAIL, "bad", remedy="do this")]
    assert render.findings(found) == ["ok    fine", "FAIL  bad", "      do this"]
    assert render.findings_json(found) == {
        "level": "fail",
        "findings": [
            {"level": "ok", "fact": "fine", "remedy": ""},
            {"level": "fail", "fact": "bad", "remedy": "do this"},
        ],
    }
