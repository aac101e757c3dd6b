"""What a person has in front of them in a guest: keyboard, mouse and emulated screens."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vfiod.guest import tree

# https://libvirt.org/formatdomain.html#input-devices: these two are the host's own devices.
_FROM_HOST = ("evdev", "passthrough")


@dataclass(frozen=True, slots=True)
class UsbHostdev:
    """A USB device of the host that the guest is given; a number that is None may be any.

    https://libvirt.org/formatdomain.html#usb-pci-scsi-devices
    """

    vendor: int | None = None
    product: int | None = None
    bus: int | None = None
    number: int | None = None

    def __str__(self) -> str:
        if self.vendor is not None and self.product is not None:
            return f"{self.vendor:04x}:{self.product:04x}"
        return f"bus {self.bus} device {self.number}"


def has_input(xml: str) -> bool:
    """True if the guest is given input devices of the host (evdev)."""
    inputs = tree.read(xml).iterfind("devices/input")
    return any(element.get("type") in _FROM_HOST for element in inputs)


def usb_hostdevs(xml: str) -> Iterator[UsbHostdev]:
    """The USB devices of the host that the guest is given one by one, those named by port aside."""
    for element in tree.read(xml).iterfind("devices/hostdev[@type='usb']/source"):
        ids = _number(element, "vendor", "id"), _number(element, "product", "id")
        place = _number(element, "address", "bus"), _number(element, "address", "device")
        if None not in ids or None not in place:
            yield UsbHostdev(*ids, *place)


def _number(source: Any, tag: str, attribute: str) -> int | None:
    """An attribute of an element of <source>; libvirt writes 0x before hexadecimal ones."""
    element = source.find(tag)
    try:
        return None if element is None else int(element.get(attribute, ""), 0)
    except ValueError:
        return None


def has_screen(xml: str) -> bool:
    """True if the guest has an emulated screen, on VNC or SPICE."""
    return tree.read(xml).find("devices/graphics") is not None
