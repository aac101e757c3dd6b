"""What makes up a graphics card, and which one of several a guest would get. Pure."""

from collections.abc import Iterator, Mapping

from vfiod.handoff.decision import rules
from vfiod.host.facts.pci import PciDevice
from vfiod.model import AUDIO_CLASS, VFIO_DRIVER, PciAddress

Devices = Mapping[PciAddress, PciDevice]


def are_one_card(one: PciDevice, other: PciDevice, devices: Devices) -> bool:
    """True if one of the two is a display and the other a part of the same card.

    A card may have a switch of its own, and behind it the picture on one bus and the sound on
    another (Intel Arc).
    """
    if rules.are_one_card(one, other, devices.values()):
        return True
    display, part = (one, other) if one.is_display else (other, one)
    if not display.is_display or display.is_virtual or part.class_code >> 8 != AUDIO_CLASS:
        return False
    switch = _own_switch(display, devices)
    return switch is not None and switch.address in _above(part, devices)


def _own_switch(display: PciDevice, devices: Devices) -> PciDevice | None:
    """The highest bridge of the display's maker, below a root port, that leads to it alone."""
    own = None
    for address in _above(display, devices):
        bridge = devices[address]
        made_by_it = bridge.vendor == display.vendor and bridge.parent in devices
        below = [d for d in devices.values() if address in _above(d, devices)]
        if not made_by_it or any(_is_foreign(d, display) for d in below):
            break
        own = bridge
    return own


def _is_foreign(device: PciDevice, display: PciDevice) -> bool:
    """True for what is no part of a card with that display."""
    sound = device.class_code >> 8 == AUDIO_CLASS
    slot = device.address.same_slot(display.address)
    return device.vendor != display.vendor or not (sound or slot or device.is_bridge)


def _above(device: PciDevice, devices: Devices) -> Iterator[PciAddress]:
    """The bridges on the way up to the root, the nearest first."""
    above = device
    while above.parent is not None and above.parent in devices:
        above = devices[above.parent]
        yield above.address


def candidates(devices: Devices) -> list[PciDevice]:
    """The cards of which a guest would get one; there is a choice if there are several.

    What the host can work on stays with it as long as there is another: the processor's own
    graphics, and the screen of a board's remote management. Of several cards in slots, one that
    was bound to vfio-pci is the guest's; of a card with virtual functions, one of those.
    """
    displays = [d for d in devices.values() if d.is_display and not d.is_virtual]
    cards = (
        [d for d in displays if not is_built_in(d, devices)]
        or [d for d in displays if d.vendor not in rules.MANAGEMENT]
        or displays
    )
    if len(cards) > 1:
        return [d for d in cards if d.driver == VFIO_DRIVER] or cards
    parts = [d for d in devices.values() if d.physical in {c.address for c in cards}]
    return ([d for d in parts if d.driver == VFIO_DRIVER] or parts)[:1] or cards


def is_built_in(display: PciDevice, devices: Devices) -> bool:
    """True for the graphics of the processor, or of the board."""
    on_root = display.address.bus == 0 and display.parent not in devices
    return (
        on_root
        or rules.is_processors_own(display, devices.values())
        or display.vendor in rules.MANAGEMENT
    )
