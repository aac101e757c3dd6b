"""What a person has in front of them in a guest: keyboard and mouse."""

from vfiod.guest import domain, tree

# https://libvirt.org/formatdomain.html#input-devices: these two are the host's own devices.
_FROM_HOST = ("evdev", "passthrough")


def has_input(xml: str) -> bool:
    """True if the guest is given input devices of the host (evdev)."""
    inputs = tree.read(xml).iterfind("devices/input")
    if any(element.get("type") in _FROM_HOST for element in inputs):
        return True
    return domain.parse(xml).commandline.has_input
