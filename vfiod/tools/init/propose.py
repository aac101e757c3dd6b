"""The decision: facts and wishes -> a proposal, or all that stands in its way. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from vfiod.config.schema import DeviceConfig
from vfiod.errors import HostError, VfiodError
from vfiod.handoff.decision import rules
from vfiod.host.facts.pci import PciDevice
from vfiod.model import PciAddress
from vfiod.rom import ways
from vfiod.tools.groups.cards import are_one_card
from vfiod.tools.groups.picture import is_on_a_screen, where_the_picture_is
from vfiod.tools.groups.sets import DeviceSet, judge
from vfiod.tools.init import seeds, usb
from vfiod.tools.init.facts import Facts, Proposal, Proposed, Remark, Wishes
from vfiod.tools.init.seeds import Reasons, refused


def propose(facts: Facts, wishes: Wishes) -> Proposal:
    """What the guest should get and why. Raises Refused with everything that forbids it."""
    if not any(device.group is not None for device in facts.devices.values()):
        raise refused([_no_iommu()])
    remarks: list[Remark] = []
    chosen = seeds.choose(facts, wishes, remarks)
    begun = frozenset(chosen)
    _complete(facts, chosen)
    added = _add_usb(facts, wishes, chosen, remarks)
    if faults := [*_faults(facts, chosen, begun)]:
        raise refused(faults)
    going = [c for a, c in facts.controllers.items() if a in chosen]
    remarks += [*_notes(facts, chosen), *usb.remarks(facts, going, added)]
    roms = _roms(facts, wishes, chosen)
    remarks += seeds.taken_out(facts, wishes, chosen)
    remarks += [*_pictures(facts, chosen), *_rom_remarks(facts, chosen, roms)]
    foreign = {a: what for a, what in wishes.foreign_roms.items() if a in chosen}
    remarks += [_loses_rom(facts, facts.devices[a], what) for a, what in foreign.items()]
    devices = [
        Proposed(DeviceConfig(a, roms.get(a)), facts.name(facts.devices[a]), reason)
        for a, reason in chosen.items()
    ]
    return Proposal(tuple(devices), tuple(remarks), tuple(foreign))


def _no_iommu() -> VfiodError:
    return HostError(
        "the IOMMU is off: without its groups nobody can tell which devices go together",
        "switch it on first, see: vfiod doctor",
    )


def _complete(facts: Facts, chosen: Reasons) -> None:
    """Add what must go along: all functions of a card, and the rest of every group."""
    for address in list(chosen):
        members = facts.with_it(facts.devices[address])
        for other in members:
            if other.address not in chosen:
                chosen[other.address] = _why_along(facts, other, members)


def _why_along(facts: Facts, other: PciDevice, members: Sequence[PciDevice]) -> str:
    cards = [m for m in members if m.is_display and are_one_card(m, other, facts.devices)]
    if any(rules.is_processors_own(card, facts.devices.values()) for card in cards):
        return "the sound of the same graphics"
    if any(card.address.same_slot(other.address) for card in cards):
        return "a function of the same card, which is reset as a whole"
    if cards:
        return f"a part of the card {cards[0].address}, behind the card's own switch"
    mate = next((m for m in members if m.group == other.group and m is not other), members[0])
    return f"in IOMMU group {other.group} with {mate.address}; a group goes over as a whole"


def _add_usb(
    facts: Facts, wishes: Wishes, chosen: Reasons, remarks: list[Remark]
) -> PciAddress | None:
    """The controller of keyboard and mouse, for a guest that shows itself on a screen.

    Gives the address of the one that was added, if any.
    """
    if not wishes.wants_usb or not _displays(facts, chosen):
        return None
    remarks += usb.given(facts, wishes.usb)
    if usb.has_input(facts, wishes.usb) or _has_controller(facts, chosen):
        return None
    if not _is_seen(facts, chosen):
        stays = "Keyboard and mouse stay with the host, on whose screen the guest would be seen."
        remarks.append(Remark("no-controller", stays))
        return None
    controller = usb.choose(facts, chosen)
    if controller is None:
        remarks += usb.no_controller(facts, chosen)
        return None
    if wishes.asked:
        remarks.append(usb.unasked(facts, controller))
        return None
    chosen[controller.address] = usb.reason(facts, controller)
    _complete(facts, chosen)
    return controller.address


def _is_seen(facts: Facts, chosen: Reasons) -> bool:
    """Where the picture is nowhere, or beside a laptop's screen, the host's keyboard stays."""
    devices = facts.devices
    return any(is_on_a_screen(devices[a], devices) for a in _displays(facts, chosen))


def _has_controller(facts: Facts, chosen: Reasons) -> bool:
    """True if the guest has one; a card's own port for a headset is none."""
    cards = [facts.devices[a] for a in _displays(facts, chosen)]
    for controller in (c for a, c in facts.controllers.items() if a in chosen):
        port = facts.devices[controller.address]
        of_card = any(port.address.same_slot(card.address) for card in cards)
        if not of_card or usb.inputs(controller):
            return True
    return False


def _displays(facts: Facts, chosen: Reasons) -> list[PciAddress]:
    return [a for a in chosen if facts.devices[a].is_display]


def _faults(facts: Facts, chosen: Reasons, begun: Collection[PciAddress]) -> Iterator[VfiodError]:
    """What must go along cannot be left out: then the card is in the wrong slot."""
    going = [facts.devices[address] for address in chosen]
    for bridge in (device for device in going if device.is_bridge):
        yield HostError(
            f"{facts.name(bridge)} ({bridge.address}) is a bridge",
            "bridges stay with the host: leave it out",
        )
    for remark in _judged(facts, going).obstacles:
        name = f"{facts.name(facts.devices[remark.device])} ({remark.device})"
        is_card = facts.devices[remark.device].is_display
        remedy = "leave it out" if remark.device in begun and not is_card else remark.remedy
        yield HostError(f"{name}: {remark.fact}", remedy or "see: vfiod groups")


def _judged(facts: Facts, going: Sequence[PciDevice]) -> DeviceSet:
    groups = {device.group for device in going} - {None}
    bridges = [d for d in facts.devices.values() if d.is_bridge and d.group in groups]
    return judge([*going, *bridges], facts.devices, facts.in_use_by, facts.controllers)


def _notes(facts: Facts, chosen: Reasons) -> Iterator[Remark]:
    """What is worth knowing of all but USB controllers, of which vfiod.tools.init.usb tells."""
    for note in _judged(facts, [facts.devices[address] for address in chosen]).notes:
        if note.device not in facts.controllers:
            remedy = f"; {note.remedy}" if note.remedy else ""
            name = f"{facts.name(facts.devices[note.device])} ({note.device})"
            yield Remark("device", f"{name}: {note.fact}{remedy}.")


def _pictures(facts: Facts, chosen: Reasons) -> Iterator[Remark]:
    for address in _displays(facts, chosen):
        where = where_the_picture_is(facts.devices[address], facts.devices)
        if where:
            yield Remark("picture", f"{facts.name(facts.devices[address])} ({address}): {where}.")


def _roms(facts: Facts, wishes: Wishes, chosen: Reasons) -> dict[PciAddress, str]:
    roms = {a: rom for a, rom in wishes.roms.items() if a in chosen}
    displays = _displays(facts, chosen)
    if wishes.card_rom is not None:
        if not displays:
            what = "--rom is for a graphics card, and none is among the devices"
            raise refused([HostError(what, "leave --rom out, or name the card: --device ADDRESS")])
        roms[displays[0]] = wishes.card_rom
    return roms


def _rom_remarks(facts: Facts, chosen: Reasons, roms: Mapping[PciAddress, str]) -> Iterator[Remark]:
    for address in _displays(facts, chosen):
        why = rules.why_no_rom(facts.devices[address], facts.devices.values())
        if why and address not in roms:
            dump = f"sudo vfiod rom dump {address} /etc/vfiod/card.rom"
            way = (
                " until the guest's own driver has started."
                if ways.has_none(facts.devices[address])
                else f". Save it with: {dump}; then run this again with --rom /etc/vfiod/card.rom"
            )
            yield Remark("rom", f"{why}, and a screen on it may stay black{way}")


def _loses_rom(facts: Facts, function: PciDevice, what: str) -> Remark:
    name = f"{facts.name(function)} ({function.address})"
    return Remark("rom", f"{name} reads {what}; its <rom> is taken out of the definition.")
