"""What a person has in front of them in a guest: keyboard, mouse and emulated screens."""

from vfiod.guest import domain, tree

# https://libvirt.org/formatdomain.html#input-devices: these two are the host's own devices.
_FROM_HOST = ("evdev", "passthrough")


def has_input(xml: str) -> bool:
    """True if the guest is given USB or input devices of the host one by one."""
    devices = tree.read(xml).find("devices")
    if devices is None:
        return False
    if domain.parse(xml).commandline.has_input:
        return True
    usb = [e for e in devices.iterfind("hostdev") if e.get("type") == "usb"]
    return bool(usb) or any(e.get("type") in _FROM_HOST for e in devices.iterfind("input"))


def has_screen(xml: str) -> bool:
    """True if the guest has an emulated screen, on VNC or SPICE."""
    return tree.read(xml).find("devices/graphics") is not None
