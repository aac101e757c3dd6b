"""Names for PCI ids."""

from pathlib import Path

import pytest

from tests.fakes.tree import grow
from vfiod.host.facts.pcinames import FILES, PciNames, parse_names, read_names
from vfiod.model import PciAddress, PciFunction

IDS = """\
# A comment
1002  Advanced Micro Devices, Inc. [AMD/ATI]
\t67df  Ellesmere [Radeon RX 480]
\t\t1462 3413  A board
10de  NVIDIA Corporation
C 00  Unclassified device
\t01  VGA compatible unclassified device
C 03  Display controller
\t00  VGA compatible controller
\t\t00  VGA controller
nonsense
"""


def function(vendor: int, device: int, code: int = 0x030000) -> PciFunction:
    return PciFunction(PciAddress.parse("01:00.0"), vendor, device, code)


@pytest.fixture
def names() -> PciNames:
    return parse_names(IDS.splitlines(keepends=True))


@pytest.mark.parametrize(
    ("vendor", "device", "name"),
    [
        (0x1002, 0x67DF, "AMD/ATI Ellesmere [Radeon RX 480]"),
        (0x10DE, 0x67DF, "NVIDIA Corporation device 67df"),
        (0x8086, 0x67DF, ""),
    ],
)
def test_devices(names: PciNames, vendor: int, device: int, name: str) -> None:
    assert names.device(function(vendor, device)) == name


@pytest.mark.parametrize(
    ("code", "kind"),
    [(0x030000, "VGA compatible controller"), (0x030200, "Display controller"), (0x010601, "")],
)
def test_classes(names: PciNames, code: int, kind: str) -> None:
    assert names.kind(function(1, 1, code)) == kind


@pytest.mark.parametrize("file", FILES)
def test_the_file_is_found_where_distributions_put_it(tmp_path: Path, file: str) -> None:
    grow(tmp_path, {file: IDS})
    assert read_names(tmp_path).vendors[0x10DE] == "NVIDIA Corporation"


def test_without_the_file_there_are_no_names(tmp_path: Path) -> None:
    assert read_names(tmp_path).device(function(0x1002, 0x67DF)) == ""


def test_the_file_of_this_machine() -> None:
    """The real file of the package pci.ids, which make deps installs."""
    names = read_names()
    assert names.device(function(0x1002, 0x67DF)).startswith("AMD/ATI Ellesmere")
    assert names.kind(function(0x1002, 0x67DF)) == "VGA compatible controller"
