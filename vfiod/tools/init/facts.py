"""What a proposal is made from, and what it is. Values only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vfiod.config.schema import DeviceConfig
from vfiod.guest.opened import UsbHostdev
from vfiod.host.facts.pci import PciDevice
from vfiod.host.facts.pcinames import PciNames
from vfiod.host.facts.usb import UsbController
from vfiod.model import PciAddress, PciFunction
from vfiod.tools.groups.cards import are_one_card
from vfiod.tools.groups.sets import is_board, members_with


@dataclass(frozen=True, slots=True)
class Facts:
    """The PC. ``in_use_by``: what of the running host would be lost with a device, in words."""

    devices: Mapping[PciAddress, PciDevice]
    controllers: Mapping[PciAddress, UsbController] = field(default_factory=dict)
    in_use_by: Mapping[PciAddress, Sequence[str]] = field(default_factory=dict)
    names: PciNames = field(default_factory=PciNames)

    def name(self, function: PciFunction) -> str:
        """What a person would call it."""
        kind = self.names.kind(function) or "device"
        return self.names.device(function) or f"{kind} {function.vendor:04x}:{function.device:04x}"

    def with_it(self, function: PciDevice) -> list[PciDevice]:
        """What must go over with it, itself included.

        Bridges never go, and a part of the board without a driver is in nobody's way, unless it
        is a function of the graphics card.
        """
        members = members_with(function, self.devices)

        def is_needed(member: PciDevice) -> bool:
            of_card = any(are_one_card(member, card, self.devices) for card in members)
            return of_card or member.driver is not None or not is_board(member)

        return [m for m in members if m is function or (not m.is_bridge and is_needed(m))]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is known of the guest. What it has is ``hostdevs``, else ``configured``.

    ``asked``: named on the command line, and added to that, or ``only`` these. ``hostdevs``: in
    its definition. ``configured``: in the configuration. ``roms``: ROM files known for functions;
    ``foreign_roms``: those in its definition that are not the function's own, in words.
    ``card_rom``: for the graphics card, whichever it is. ``wants_usb``: False if the guest is to
    have no USB controller for its keyboard. ``usb``: USB devices of the host that the guest is
    given one by one.
    """

    asked: tuple[PciAddress, ...] = ()
    only: bool = False
    hostdevs: tuple[PciAddress, ...] = ()
    configured: tuple[PciAddress, ...] = ()
    roms: Mapping[PciAddress, str] = field(default_factory=dict)
    foreign_roms: Mapping[PciAddress, str] = field(default_factory=dict)
    card_rom: str | None = None
    wants_usb: bool = True
    usb: tuple[UsbHostdev, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposed:
    """One device with a sentence that says why it goes over."""

    device: DeviceConfig
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to know before agreeing. ``about`` names its subject, as doctor's checks do."""

    about: str
    text: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """Devices, and what the person should know before agreeing. ``without_rom``: those that lose
    the ROM that the definition gives them.
    """

    devices: tuple[Proposed, ...]
    remarks: tuple[Remark, ...] = ()
    without_rom: tuple[PciAddress, ...] = ()

    @property
    def configs(self) -> tuple[DeviceConfig, ...]:
        """The devices as the configuration has them."""
        return tuple(proposed.device for proposed in self.devices)
