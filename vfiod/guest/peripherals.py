"""What a person has in front of them in a guest: keyboard, mouse and emulated screens."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vfiod.guest import tree

# https://libvirt.org/formatdomain.html#input-devices: these two are the host's own devices.
_FROM_HOST = ("evdev", "passthrough")


@dataclass(frozen=True, slots=True)
class UsbHostdev:
    """A USB device of the host that the guest is given, as its <source> names it.

    That is ``ids``, vendor and product, or ``place``, bus and device, or both.
    https://libvirt.org/formatdomain.html#usb-pci-scsi-devices
    """

    ids: tuple[int, int] | None = None
    place: tuple[int, int] | None = None

    def __str__(self) -> str:
        if self.ids is not None:
            return f"{self.ids[0]:04x}:{self.ids[1]:04x}"
        return "bus {} device {}".format(*self.place or (0, 0))


def has_input(xml: str) -> bool:
    """True if the guest is given input devices of the host (evdev)."""
    inputs = tree.read(xml).iterfind("devices/input")
    return any(element.get("type") in _FROM_HOST for element in inputs)


def usb_hostdevs(xml: str) -> Iterator[UsbHostdev]:
    """The USB devices of the host that the guest is given one by one."""
    for element in tree.read(xml).iterfind("devices/hostdev[@type='usb']/source"):
        ids = (_number(element, "vendor", "id"), _number(element, "product", "id"))
        place = (_number(element, "address", "bus"), _number(element, "address", "device"))
        yield UsbHostdev(
            ids=None if ids[0] is None or ids[1] is None else (ids[0], ids[1]),
            place=None if place[0] is None or place[1] is None else (place[0], place[1]),
        )


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
