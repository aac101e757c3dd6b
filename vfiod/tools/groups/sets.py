"""Which devices can go to a guest together, and what stands in the way. Pure.

The IOMMU cannot keep the devices of one group apart, so a group goes over as a whole
(kernel: Documentation/driver-api/vfio.rst). A card is reset as a whole as well, so all of its
functions go over even if they are in several groups (vfiod.tools.groups.cards).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from vfiod.handoff.decision import rules
from vfiod.host.facts.pci import PciDevice
from vfiod.host.facts.usb import UsbController, UsbDevice, UsbKind
from vfiod.model import SHARING_DRIVERS, VFIO_DRIVER, PciAddress
from vfiod.tools.groups import cards
from vfiod.tools.groups.cards import Devices

# Memory, bridges, system peripherals, encryption, signal processing, instrumentation; then SMBus,
# other serial buses, other communication (pci.ids): parts of the board, which no guest wants.
BOARD_CLASSES = frozenset({0x05, 0x06, 0x08, 0x10, 0x11, 0x13})
BOARD_SUBCLASSES = frozenset({0x0C05, 0x0C80, 0x0780})

MOVE_CARD = (
    "put the card into another slot (as a rule the topmost one, which hangs on the processor), "
    "or look for a newer firmware of the board"
)
InUseBy = Mapping[PciAddress, Sequence[str]]
Controllers = Mapping[PciAddress, UsbController]


class Kind(Enum):
    """What a set is to a person; the order is the order of interest."""

    GRAPHICS = "graphics"
    USB = "usb"
    OTHER = "other"
    BOARD = "board"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a device: what is so, and what to do about it."""

    device: PciAddress
    fact: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class DeviceSet:
    """Devices that go over together or not at all, by address.

    ``staying`` are the bridges in its groups; ``groups`` is empty without an IOMMU.
    ``obstacles`` forbid the handoff; without any, ``notes`` are worth knowing before it.
    """

    groups: tuple[int, ...]
    going: tuple[PciDevice, ...]
    staying: tuple[PciDevice, ...] = ()
    obstacles: tuple[Remark, ...] = ()
    notes: tuple[Remark, ...] = ()

    @property
    def can_go(self) -> bool:
        """True if nothing known stands in the way."""
        return bool(self.groups and self.going and not self.obstacles)

    @property
    def kind(self) -> Kind:
        """By the most interesting member."""
        if any(device.is_display for device in self.going):
            return Kind.GRAPHICS
        if any(device.is_usb_controller for device in self.going):
            return Kind.USB
        return Kind.BOARD if all(map(is_board, self.going)) else Kind.OTHER


def is_board(device: PciDevice) -> bool:
    """True for parts of the board that are of no use in a guest."""
    code = device.class_code
    return code >> 16 in BOARD_CLASSES or code >> 8 in BOARD_SUBCLASSES


def find_sets(devices: Devices, in_use_by: InUseBy, controllers: Controllers) -> list[DeviceSet]:
    """All sets of this PC, the most interesting kinds first, then by group.

    ``in_use_by`` says what of the running host stands on a device (vfiod.host.facts.usage).
    """
    found: list[DeviceSet] = []
    seen: set[PciAddress] = set()
    for device in devices.values():
        if device.address not in seen:
            members = members_with(device, devices)
            seen.update(member.address for member in members)
            found.append(judge(members, devices, in_use_by, controllers))
    order = list(Kind)
    return sorted(found, key=lambda s: (order.index(s.kind), s.groups or (1 << 30,)))


def members_with(device: PciDevice, devices: Devices) -> tuple[PciDevice, ...]:
    """The device, its IOMMU group and the whole of each graphics card among them."""
    members: dict[PciAddress, PciDevice] = {}
    waiting = [device]
    while waiting:
        member = waiting.pop()
        if member.address not in members:
            members[member.address] = member
            waiting += [other for other in devices.values() if _tied(member, other, devices)]
    return tuple(members[address] for address in sorted(members))


def _tied(one: PciDevice, other: PciDevice, devices: Devices) -> bool:
    in_group = one.group is not None and one.group == other.group
    return in_group or cards.are_one_card(one, other, devices)


def judge(
    members: Sequence[PciDevice], devices: Devices, in_use_by: InUseBy, controllers: Controllers
) -> DeviceSet:
    """Whether these can go over together; ``members`` are all of a set (see members_with)."""
    going = tuple(member for member in members if not member.is_bridge)
    staying = tuple(member for member in members if member.is_bridge)
    obstacles = (
        *_ungrouped(going, devices),
        *_firmware_mapped(going),
        *_in_use(going, in_use_by),
        *_held_bridges(staying if going else ()),
    )
    notes = (
        *_screens(going),
        *_keyboards(going, controllers),
        *_unresettable(going, devices),
        *_divided(going, devices),
    )
    groups = sorted({member.group for member in members if member.group is not None})
    return DeviceSet(tuple(groups), going, staying, obstacles, () if obstacles else notes)


def _ungrouped(going: Iterable[PciDevice], devices: Devices) -> Iterator[Remark]:
    if any(device.group is not None for device in devices.values()):
        for device in going:
            if device.group is None:
                yield Remark(device.address, "it is in no IOMMU group")


def _firmware_mapped(going: Sequence[PciDevice]) -> Iterator[Remark]:
    """One remark for the set: it is the group that the kernel refuses."""
    for device in [d for d in going if d.firmware_mapped][:1]:
        yield Remark(
            device.address,
            rules.KEPT_BY_FIRMWARE,
            rules.NO_DMA_PROTECTION,
        )


def _in_use(going: Sequence[PciDevice], in_use_by: InUseBy) -> Iterator[Remark]:
    """What the running host stands on must not be pulled from under it."""
    remedy = MOVE_CARD if any(device.is_display for device in going) else ""
    for device in going:
        things = in_use_by.get(device.address)
        if things:
            yield Remark(device.address, f"the running host needs it for {_listed(things)}", remedy)


def _held_bridges(bridges: Iterable[PciDevice]) -> Iterator[Remark]:
    """A bridge stays, and an ordinary driver on it claims the group for the host."""
    for bridge in bridges:
        if bridge.driver not in SHARING_DRIVERS:
            yield Remark(
                bridge.address,
                f"as a bridge it stays with the host, and its driver {bridge.driver} keeps the "
                "whole group there",
                f"blacklist the module of {bridge.driver} if the host can do without it",
            )


def _screens(going: Iterable[PciDevice]) -> Iterator[Remark]:
    """Displays that are with vfio-pci already, and those that nothing would light again."""
    for device in going:
        if device.is_display and device.driver == VFIO_DRIVER:
            yield Remark(
                device.address,
                "it is with vfio-pci now: a guest has it, or it was bound at boot and the host "
                "has no picture from it",
            )
        elif rules.is_lit_by_firmware(device):
            yield Remark(device.address, f"it {rules.LIT_BY_FIRMWARE}", rules.LOAD_DRIVER)


def _keyboards(going: Iterable[PciDevice], controllers: Controllers) -> Iterator[Remark]:
    """The host must not find itself without a keyboard unawares."""
    leaving = {device.address for device in going if device.is_usb_controller}
    kept = [k for a, c in controllers.items() if a not in leaving for k in _keys(c)]
    for address in sorted(leaving & controllers.keys()):
        keyboards = _keys(controllers[address])
        if keyboards:
            rest = _listed([k.name for k in kept]) or "no USB keyboard"
            names = _listed([k.name for k in keyboards])
            yield Remark(address, f"{names} would go along; the host keeps {rest}")


def _keys(controller: UsbController) -> tuple[UsbDevice, ...]:
    return controller.having(UsbKind.KEYBOARD)


def _unresettable(going: Sequence[PciDevice], devices: Devices) -> Iterator[Remark]:
    for device in going:
        if not is_board(device) and not reset_ways(device, going, devices):
            yield Remark(
                device.address,
                "without a reset it may fail after a guest until the PC is restarted",
            )


def _divided(going: Iterable[PciDevice], devices: Devices) -> Iterator[Remark]:
    """A driver that lets its function go ends what it divided it into (pci-iov-howto.rst)."""
    for device in going:
        parts = [str(d.address) for d in devices.values() if d.physical == device.address]
        if parts:
            yield Remark(
                device.address,
                f"its virtual functions would end with it, so no start takes it: {_listed(parts)}",
            )


def reset_ways(
    device: PciDevice, going: Iterable[PciDevice], devices: Devices
) -> tuple[str, ...]:  # fmt: skip
    """How a device can be reset between two owners, in the kernel's words.

    ``bus`` counts only if everything on its bus goes over: the kernel resets a bus for vfio when
    all of it is with vfio (vfio_pci_core.c, vfio_pci_dev_set_try_reset), and lists the method for
    the first function of a card even where it cannot be used for that function alone.
    """
    bus = (device.address.domain, device.address.bus)
    sharing = {a for a in devices if (a.domain, a.bus) == bus}
    whole = device.parent is not None and sharing <= {d.address for d in going}
    ways = [way for way in device.reset_methods if way != "bus" or whole]
    if not device.reset_methods and device.resettable and not whole:
        ways = ["unnamed method"]
    return tuple(ways) or (("bus",) if whole else ())


def _listed(things: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(things[:-1]), *things[-1:])))
