"""Devices of the host that are no PCI <hostdev>."""

import pytest

from tests.fakes import pcs
from vfiod.guest import domain

ADDRESS = "<address domain='0x0000' bus='0x03' slot='0x00' function='0x1'/>"
UUID = "4b20d080-1b54-4048-85b3-a6a62d165c01"


def given(inside: str) -> list[tuple[str, str, str]]:
    xml = pcs.xml(()).replace("</devices>", f"{inside}</devices>")
    return [(o.paths[-1], o.element, o.name) for o in domain.parse(xml).opened[1:]]


@pytest.mark.parametrize(
    ("inside", "path", "element"),
    [
        (f"<interface type='hostdev' managed='yes'><source>{ADDRESS}</source></interface>",
         "/sys/bus/pci/devices/0000:03:00.1", "<interface type='hostdev'>"),
        (f"<disk type='nvme'><source type='pci' namespace='1'>{ADDRESS}</source></disk>",
         "/sys/bus/pci/devices/0000:03:00.1", "<disk type='nvme'>"),
        (f"<hostdev mode='subsystem' type='mdev'><source><address uuid='{UUID.upper()}'/></source>"
         "</hostdev>", f"/sys/bus/mdev/devices/{UUID}", "<hostdev type='mdev'>"),
    ],
)  # fmt: skip
def test_what_libvirt_looks_for(inside: str, path: str, element: str) -> None:
    assert given(inside) == [(path, element, path.rpartition("/")[2])]


@pytest.mark.parametrize(
    "inside",
    [
        "<interface type='hostdev'><source><address type='usb' bus='1'/></source></interface>",
        "<interface type='hostdev'><source><address type='pci' bus='x'/></source></interface>",
        "<interface type='hostdev'/>",
        "<hostdev mode='subsystem' type='mdev'><source/></hostdev>",
    ],
)
def test_what_has_no_such_address(inside: str) -> None:
    assert given(inside) == []
