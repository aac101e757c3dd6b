"""The table of known trouble: who is in it, and who is not."""

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes import facts as pc
from vfiod.host.facts.pci import PciDevice
from vfiod.tools.doctor.resets import AMD, NVIDIA, TROUBLES, Trouble, known_troubles

LINUX_6_1 = (6, 1)


def card(vendor: int, device: int, **changes: Any) -> PciDevice:
    return replace(pc.vga(vendor=vendor, device=device), **changes)


def names(device: PciDevice, kernel: tuple[int, int] = LINUX_6_1, driver: int = 0) -> list[str]:
    return [trouble.name for trouble in known_troubles(device, kernel, driver)]


@pytest.mark.parametrize(("device", "name"), [
    (0x67DF, "Polaris 10"), (0x67EF, "Polaris 11"), (0x699F, "Polaris 12"), (0x687F, "Vega 10"),
    (0x66AF, "Vega 20"), (0x731F, "Navi 10"), (0x7340, "Navi 14"), (0x747E, "Navi 32"),
    (0x744C, "Navi 31"), (0x7590, "Navi 44"), (0x7550, "Navi 48"),
])  # fmt: skip
def test_cards_of_the_table(device: int, name: str) -> None:
    (found,) = names(card(AMD, device))
    assert name in found


@pytest.mark.parametrize("device", [0x73FF, 0x7480, 0x1638])
def test_cards_that_nobody_complained_of(device: int) -> None:
    assert names(card(AMD, device)) == []


def test_ids_are_of_one_maker() -> None:
    assert names(card(0x8086, 0x67DF)) == []


def test_the_method_of_vendor_reset_cures_if_it_comes_first() -> None:
    assert names(card(AMD, 0x67DF, reset_methods=("device_specific", "bus"))) == []
    assert names(card(AMD, 0x67DF, reset_methods=("bus", "device_specific"))) != []


def test_trouble_of_one_kernel() -> None:
    navi48 = card(AMD, 0x7550)
    told = [names(navi48, kernel) for kernel in ((6, 14), (7, 1), (7, 2), (7, 3))]
    assert [len(found) for found in told] == [1, 1, 2, 1]
    assert "on Linux 7.2" in told[2][1]


@pytest.mark.parametrize("device", [0x2B85, 0x2C02, 0x2C05, 0x2D04, 0x2D83, 0x2F04])
def test_cards_of_the_rtx_50_series(device: int) -> None:
    (found,) = names(card(NVIDIA, device))
    assert "Blackwell" in found


def test_trouble_of_a_driver_since_a_version() -> None:
    geforce = card(NVIDIA, 0x2684, driver="nvidia")
    assert names(geforce, driver=590) == []
    assert names(geforce, driver=595) != []
    assert names(replace(geforce, driver="nouveau"), driver=0) == []


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
def test_each_entry_can_be_looked_up(trouble: Trouble) -> None:
    assert trouble.source.startswith("https://")
    assert trouble.what[-1] != "."
    assert trouble.remedy[-1] == "."


def test_no_id_is_listed_twice_for_the_same_reason() -> None:
    plain = [t for t in TROUBLES if t.vendor == AMD and t.cured_by == "device_specific"]
    listed = [device for trouble in plain for device in trouble.devices]
    assert len(listed) == len(set(listed))
