"""Where the picture of a guest with a card of this PC will be, as far as it can be known. Pure."""

from vfiod.host.facts.pci import PciDevice
from vfiod.tools.groups.cards import Devices

_BUILT_IN = ("eDP", "LVDS", "DSI")
_3D_CONTROLLER = 0x0302
_OR_NOWHERE = "or nowhere, unless Looking Glass shows it in a window of the host"
_NOWHERE = "the guest's picture is nowhere, unless Looking Glass shows it in a window of the host"


def where_the_picture_is(card: PciDevice, devices: Devices) -> str:
    """What to know if it is not on a screen of today; else empty.

    A driver that shows no outputs (NVIDIA's without modeset, vfio-pci) leaves it open, unless the
    PC is a laptop whose own screen is known to hang on the other graphics.
    """
    if card.is_virtual:
        return f"a virtual function has no outputs: {_NOWHERE}"
    lit = _lit_beside(card, devices)
    if card.connected or lit is None:
        return ""
    outputs = [connector.name for each in card.cards for connector in each.connectors]
    if not outputs and card.class_code >> 8 == _3D_CONTROLLER:
        return f"it has no outputs of its own: {_NOWHERE}"
    if has_panel(lit):
        return _in_a_laptop(outputs, lit)
    if not outputs:
        return ""
    return (
        f"no screen is connected to it, yours hangs on {_screens(lit)}: the guest's picture is on "
        f"a screen at {_own(outputs)}, {_OR_NOWHERE}"
    )


def is_on_a_screen(card: PciDevice, devices: Devices) -> bool:
    """False if nobody would see the guest on a screen without doing something for it first."""
    lit = _lit_beside(card, devices)
    unseen = lit is not None and (has_panel(lit) or card.class_code >> 8 == _3D_CONTROLLER)
    return bool(card.connected) or not (card.is_virtual or unseen)


def has_panel(display: PciDevice) -> bool:
    """True if a built-in screen hangs on it, as in a laptop."""
    return any(name.startswith(_BUILT_IN) for name in display.connected)


def _lit_beside(card: PciDevice, devices: Devices) -> PciDevice | None:
    others = [d for d in devices.values() if d.connected and d.address != card.address]
    return next(filter(has_panel, others), others[0] if others else None)


def _in_a_laptop(outputs: list[str], lit: PciDevice) -> str:
    if any(name.startswith(_BUILT_IN) for name in outputs):
        return (
            f"the built-in screen hangs on {_screens(lit)} now: it shows the guest only if it is "
            "switched over to this card (firmware set-up: MUX, discrete graphics), else the "
            f"picture is on a screen at {_own(outputs)}, {_OR_NOWHERE}"
        )
    return (
        f"the built-in screen hangs on {_screens(lit)} and does not show the guest: its picture is "
        f"on a screen at {_own(outputs)}, {_OR_NOWHERE}"
    )


def _screens(display: PciDevice) -> str:
    return f"{display.address} ({', '.join(display.connected)})"


def _own(outputs: list[str]) -> str:
    external = ", ".join(name for name in outputs if not name.startswith(_BUILT_IN))
    return f"its own outputs ({external})" if external else "its own outputs, if it has any"
