"""The decision: facts and wishes -> a proposal, or all that stands in its way. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from vfiod.config.schema import DeviceConfig
from vfiod.errors import HostError, Refused, VfiodError
from vfiod.host.facts.pci import PciDevice
from vfiod.model import PciAddress
from vfiod.tools.groups.sets import DeviceSet, judge
from vfiod.tools.init import usb
from vfiod.tools.init.facts import Facts, Proposal, Proposed, Wishes

_VGA_CLASS = 0x0300

Reasons = dict[PciAddress, str]


def propose(facts: Facts, wishes: Wishes) -> Proposal:
    """What the guest should get and why. Raises Refused with everything that forbids it."""
    if not any(device.group is not None for device in facts.devices.values()):
        raise refused([_no_iommu()])
    remarks: list[str] = []
    chosen = _seeds(facts, wishes, remarks)
    seeds = frozenset(chosen)
    _complete(facts, chosen)
    if wishes.wants_usb and not wishes.asked:
        _add_usb(facts, chosen, remarks)
    if faults := [*_faults(facts, chosen, seeds)]:
        raise refused(faults)
    going = [c for a, c in facts.controllers.items() if a in chosen]
    remarks += [*_notes(facts, chosen), *usb.remarks(facts, going)]
    roms = _roms(facts, wishes, chosen)
    remarks += _rom_remarks(facts, chosen, roms)
    devices = [
        Proposed(DeviceConfig(a, roms.get(a)), facts.name(facts.devices[a]), reason)
        for a, reason in chosen.items()
    ]
    return Proposal(tuple(devices), tuple(remarks))


def refused(reasons: Sequence[VfiodError]) -> Refused:
    """Nothing can be proposed."""
    return Refused(reasons, heading="these devices cannot be given to a guest")


def _no_iommu() -> VfiodError:
    return HostError(
        "the IOMMU is off: without its groups nobody can tell which devices go together",
        "switch it on first, see: vfiod doctor",
    )


def _seeds(facts: Facts, wishes: Wishes, remarks: list[str]) -> Reasons:
    """What to begin with: named devices, those the guest has, or the card of the PC."""
    if wishes.asked:
        absent = [a for a in wishes.asked if a not in facts.devices]
        if absent:
            raise refused([HostError(f"{a} is not in this PC", "see: lspci -D") for a in absent])
        return dict.fromkeys(wishes.asked, "you named it")
    for addresses, reason, where in (
        (wishes.hostdevs, "the guest has it as a <hostdev>", "a <hostdev> of the guest"),
        (wishes.configured, "the configuration lists it", "in the configuration"),
    ):
        remarks += [
            f"{a} is {where} but not in this PC any more: it is taken out."
            for a in addresses
            if a not in facts.devices
        ]
        if found := [a for a in addresses if a in facts.devices]:
            return dict.fromkeys(found, reason)
    card = _card(facts, remarks)
    return {card.address: _why_card(card)}


def _card(facts: Facts, remarks: list[str]) -> PciDevice:
    """The graphics card: the only one, or the only one in a slot."""
    displays = [d for d in facts.devices.values() if d.is_display]
    if len(displays) == 1:
        return displays[0]
    if not displays:
        raise refused([HostError("this PC has no graphics card", "name devices: --device ADDRESS")])
    slotted = [d for d in displays if d.address.bus != 0 and not _is_built_in(facts, d)]
    if len(slotted) == 1:
        staying = [d for d in displays if d is not slotted[0]]
        for display in staying:
            remarks.append(f"{facts.name(display)} ({display.address}) stays with the host.")
        return slotted[0]
    named = ", ".join(f"{d.address} ({facts.name(d)})" for d in displays)
    what = f"this PC has several graphics cards: {named}"
    raise refused([HostError(what, "say which one goes over: --device ADDRESS")])


def _is_built_in(facts: Facts, display: PciDevice) -> bool:
    """An APU's graphics has its own bus on which the processor's other devices are functions."""
    mates = [d for d in facts.devices.values() if d.address.same_slot(display.address)]
    return any(m.class_code >> 16 == 0x10 for m in mates)


def _why_card(card: PciDevice) -> str:
    if card.connected:
        return f"the graphics card, with a screen on {', '.join(card.connected)}"
    return "the graphics card"


def _complete(facts: Facts, chosen: Reasons) -> None:
    """Add what must go along: all functions of a card, and the rest of every group."""
    for address in list(chosen):
        members = facts.with_it(facts.devices[address])
        for other in members:
            if other.address not in chosen:
                chosen[other.address] = _why_along(other, members)


def _why_along(other: PciDevice, members: Sequence[PciDevice]) -> str:
    cards = [m for m in members if m.is_display and m.address.same_slot(other.address)]
    if cards:
        return "a function of the same card, which is reset as a whole"
    mate = next((m for m in members if m.group == other.group and m is not other), members[0])
    return f"in IOMMU group {other.group} with {mate.address}; a group goes over as a whole"


def _add_usb(facts: Facts, chosen: Reasons, remarks: list[str]) -> None:
    card = [a for a in chosen if any(a.same_slot(d) for d in _displays(facts, chosen))]
    controllers = [c for a, c in facts.controllers.items() if a in chosen]
    if any(c.address not in card or usb.inputs(c) for c in controllers):
        return  # the guest has one; a card's own port for a headset is none
    controller = usb.choose(facts, chosen)
    if controller is None:
        remarks += usb.no_controller(facts, chosen)
        return
    chosen[controller.address] = usb.reason(facts, controller)
    _complete(facts, chosen)


def _displays(facts: Facts, chosen: Reasons) -> list[PciAddress]:
    return [a for a in chosen if facts.devices[a].is_display]


def _faults(facts: Facts, chosen: Reasons, seeds: Collection[PciAddress]) -> Iterator[VfiodError]:
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
        remedy = "leave it out" if remark.device in seeds and not is_card else remark.remedy
        yield HostError(f"{name}: {remark.fact}", remedy or "see: vfiod groups")


def _judged(facts: Facts, going: Sequence[PciDevice]) -> DeviceSet:
    groups = {device.group for device in going} - {None}
    bridges = [d for d in facts.devices.values() if d.is_bridge and d.group in groups]
    return judge([*going, *bridges], facts.devices, facts.in_use_by, facts.controllers)


def _notes(facts: Facts, chosen: Reasons) -> Iterator[str]:
    """What is worth knowing of all but USB controllers, of which vfiod.tools.init.usb tells."""
    for note in _judged(facts, [facts.devices[address] for address in chosen]).notes:
        if note.device not in facts.controllers:
            remedy = f"; {note.remedy}" if note.remedy else ""
            yield f"{facts.name(facts.devices[note.device])} ({note.device}): {note.fact}{remedy}."


def _roms(facts: Facts, wishes: Wishes, chosen: Reasons) -> dict[PciAddress, str]:
    roms = {a: rom for a, rom in wishes.roms.items() if a in chosen}
    displays = _displays(facts, chosen)
    if wishes.card_rom is not None:
        if not displays:
            what = "--rom is for a graphics card, and none is among the devices"
            raise refused([HostError(what, "leave --rom out, or name the card: --device ADDRESS")])
        roms[displays[0]] = wishes.card_rom
    return roms


def _rom_remarks(facts: Facts, chosen: Reasons, roms: Mapping[PciAddress, str]) -> Iterator[str]:
    """The firmware runs the boot card's ROM and hides it (kernel: arch/x86/pci/fixup.c)."""
    for address in _displays(facts, chosen):
        device = facts.devices[address]
        if device.boot_vga and device.class_code >> 8 == _VGA_CLASS and address not in roms:
            yield (
                f"The PC starts on {address}: its ROM is then hidden from the guest, whose screen "
                f"may stay black. Save it with: sudo vfiod rom dump {address} /etc/vfiod/card.rom; "
                "then run this again with --rom /etc/vfiod/card.rom"
            )
