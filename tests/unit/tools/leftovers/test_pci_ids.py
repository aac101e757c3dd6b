"""Ids are matched as the kernel matches them."""

import pytest

from vfiod.host.facts.pci import PciDevice
from vfiod.model import PciAddress
from vfiod.tools.leftovers.pci_ids import names

CARD = PciDevice(PciAddress.parse("0a:00.0"), 0x1002, 0x67DF, 0x030000, subsystem=(0x1043, 0x04FB))


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("1002:67df", True),
        ("1002:67DF", True),
        ("0x1002:0x67df", True),
        ("1002:ffffffff", True),
        ("ffffffff:67df", True),
        ("10de:67df", False),
        ("1002:67df:1043:04fb", True),
        ("1002:67df:1043:ffffffff", True),
        ("1002:67df:1462:04fb", False),
        ("1002:ffffffff:ffffffff:ffffffff:00030000:ffff00ff", True),
        ("1002:ffffffff:ffffffff:ffffffff:00030000:ffffffff", True),
        ("1002:ffffffff:ffffffff:ffffffff:00040300:ffffffff", False),
        ("1002:ffffffff:ffffffff:ffffffff:00030000", True),
        ("1002:67df:nonsense", True),
        ("1002", False),
        ("", False),
    ],
)
def test_ids_with_wildcards_boards_and_classes(text: str, is_named: bool) -> None:  # noqa: FBT001
    assert names(text, CARD) is is_named
