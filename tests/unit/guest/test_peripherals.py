"""What of the host a guest is given to type and point with."""

import pytest

from vfiod.guest import tree
from vfiod.guest.opened import UsbHostdev, read_usb
from vfiod.guest.peripherals import has_input

DOMAIN = """<domain type='kvm'><name>win10</name>
<uuid>6695eb01-f6a4-8304-79aa-97f2502e193f</uuid><memory>8388608</memory><vcpu>4</vcpu>
<os><type>hvm</type></os><devices>{}</devices></domain>"""
HOSTDEV = "<hostdev mode='subsystem' type='usb'><source>{}</source></hostdev>"


@pytest.mark.parametrize(
    ("source", "found", "named"),
    [
        (
            "<vendor id='0x046d'/><product id='0xc31c'/>",
            UsbHostdev(0x046D, 0xC31C),
            "046d:c31c",
        ),
        ("<address bus='1' device='12'/>", UsbHostdev(bus=1, number=12), "on bus 1, device 12"),
        (
            "<vendor id='0x046d'/><product id='0xc31c'/><address bus='1' device='12'/>",
            UsbHostdev(0x046D, 0xC31C, 1, 12),
            "046d:c31c",
        ),
    ],
)
def test_usb_devices(source: str, found: UsbHostdev, named: str) -> None:
    xml = DOMAIN.format(HOSTDEV.format(source))
    assert read_usb(tree.read(xml)) == (found,)
    assert str(found) == named
    assert not has_input(xml)


def test_a_usb_device_named_by_its_port_is_none_that_could_be_looked_up() -> None:
    by_port = DOMAIN.format(HOSTDEV.format("<address bus='1' port='2'/>"))
    assert read_usb(tree.read(by_port)) == ()


def test_input_devices_of_the_host() -> None:
    assert has_input(DOMAIN.format("<input type='evdev'><source dev='/dev/input/e'/></input>"))
    assert not has_input(DOMAIN.format("<input type='tablet' bus='usb'/>"))
