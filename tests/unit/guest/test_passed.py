"""The PCI functions that a domain takes: which, with what ROM, and opened by what."""

import pytest

from tests.unit.guest.test_domain import UUID, hostdev, refused, xml
from vfiod.guest.domain import parse
from vfiod.guest.passed import Hostdev

REFUSED = [
    (xml(devices="<hostdev mode='subsystem' type='pci'/>"), "no <source> with an <address>"),
    (xml(devices="<hostdev type='pci'><address bus='1'/></hostdev>"), "no <source> with an"),
    (xml(devices=hostdev("")), "a PCI <hostdev> has an empty address"),
    (xml(devices=hostdev("function='1'")), "a PCI <hostdev> has an empty address"),
    (xml(devices=hostdev("bus='0x100'")), "out of range in a PCI address: bus='0x100'"),
    (xml(devices=hostdev("bus='1' slot='32'")), "out of range in a PCI address: slot='32'"),
    (xml(devices=hostdev("bus='1' function='8'")), "out of range in a PCI address: function='8'"),
    (xml(devices=hostdev("bus='0x'")), "not a number in a PCI address: bus='0x'"),
    (xml(devices=hostdev("bus=''")), "not a number in a PCI address: bus=''"),
    (xml(devices=hostdev("bus='-1'")), "not a number in a PCI address: bus='-1'"),
    (xml(devices=hostdev("bus='08'")), "not a number in a PCI address: bus='08'"),
    (
        xml(devices=hostdev("domain='99999999999'")),
        "not a number in a PCI address: domain='99999999",
    ),
    (
        xml(devices=hostdev("domain='9999999999'")),
        "out of range in a PCI address: domain='99999999",
    ),
]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("domain='0x0000' bus='0x0a' slot='0x1f' function='0x7'", "0000:0a:1f.7"),
        ("domain='0' bus='10' slot='31' function='7'", "0000:0a:1f.7"),
        ("bus='012' slot='0'", "0000:0a:00.0"),
        ("slot='2'", "0000:00:02.0"),
        ("domain='0x10000' bus='0XE1'", "10000:e1:00.0"),
    ],
)
def test_numbers_of_an_address(address: str, expected: str) -> None:
    (device,) = parse(xml(devices=hostdev(address))).hostdevs
    assert str(device.address) == expected


@pytest.mark.parametrize(
    ("rom", "file", "bar"),
    [
        ("", None, True),
        ("<rom/>", None, True),
        ("<rom bar='on'/>", None, True),
        ("<rom bar='off'/>", None, False),
        ("<rom bar='off' file='/a'/>", "/a", False),
        ("<rom enabled='no'/>", None, False),
        ("<rom enabled='yes' file=''/>", None, True),
    ],
)
def test_rom_of_a_hostdev(rom: str, file: str | None, *, bar: bool) -> None:
    (device,) = parse(xml(devices=hostdev("bus='1'", more=rom))).hostdevs
    assert (device.rom_file, device.rom_bar) == (file, bar)


@pytest.mark.parametrize(("managed", "expected"), [("", False), ("'no'", False), ("'yes'", True)])
def test_managed(managed: str, *, expected: bool) -> None:
    attributes = f"managed={managed}" if managed else ""
    (device,) = parse(xml(devices=hostdev("bus='1'", attributes=attributes))).hostdevs
    assert device.managed is expected


def opened(*, inside: str = "", beside: str = "") -> Hostdev:
    device = (
        "<hostdev mode='subsystem' type='pci'><source><address bus='0x01'/></source>"
        f"{inside}</hostdev>"
    )
    (found,) = parse(
        f"<domain type='kvm'><name>a</name><uuid>{UUID}</uuid><memory>1</memory>{beside}"
        f"<devices>{device}</devices></domain>"
    ).hostdevs
    return found


@pytest.mark.parametrize(
    ("inside", "beside", "backend"),
    [
        ("", "", "vfio"),
        ("<driver name='vfio'/>", "", "vfio"),
        ("<driver name='iommufd'/>", "", "iommufd"),
        ("<driver iommufd='yes'/>", "", "iommufd"),
        ("<driver name='vfio' iommufd='yes'/>", "", "iommufd"),
        ("", "<iommufd enabled='yes' fdgroup='iommu'/>", "iommufd"),
        ("", "<iommufd enabled='no'/>", "vfio"),
        ("<driver iommufd='no'/>", "<iommufd enabled='yes'/>", "vfio"),
        ("<driver model='vfio-pci'/>", "<iommufd enabled='yes'/>", "iommufd"),
        ("<driver name='xen'/>", "", "'xen'"),
        ("<driver iommufd='maybe'/>", "", "'iommufd=maybe'"),
        ("", "<iommufd enabled='on'/>", "'iommufd=on'"),
        (f"<driver name='{'x' * 90}'/>", "", f"'{'x' * 40}'"),
    ],
)
def test_by_what_qemu_opens_a_device(inside: str, beside: str, backend: str) -> None:
    assert opened(inside=inside, beside=beside).backend == backend


@pytest.mark.parametrize(("text", "expected"), REFUSED, ids=[e[:50] for _, e in REFUSED])
def test_what_is_refused(text: str, expected: str) -> None:
    assert expected in refused(text)
