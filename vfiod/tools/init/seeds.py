"""What a proposal begins with: what the guest has, what was named, and a card. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from vfiod.errors import HostError, Refused, VfiodError
from vfiod.host.facts.pci import PciDevice
from vfiod.model import PciAddress
from vfiod.tools.groups.cards import candidates
from vfiod.tools.init.facts import Facts, Remark, Wishes

Reasons = dict[PciAddress, str]


def refused(reasons: Sequence[VfiodError]) -> Refused:
    """Nothing can be proposed."""
    return Refused(reasons, heading="these devices cannot be given to a guest")


def choose(facts: Facts, wishes: Wishes, remarks: list[Remark]) -> Reasons:
    """What the guest has and what was named; if nothing was, also a card to be seen on.

    Raises Refused.
    """
    if wishes.only and not wishes.asked:
        raise refused([HostError("--only has nothing to keep", "name it: --device ADDRESS")])
    absent = [a for a in wishes.asked if a not in facts.devices]
    if absent:
        raise refused([HostError(f"{a} is not in this PC", "see: lspci -D") for a in absent])
    own = {} if wishes.only else _own(facts, wishes, remarks)
    if wishes.asked:
        kept = {a: reason for a, reason in own.items() if not _is_replaced(facts, wishes, a)}
        return kept | dict.fromkeys(wishes.asked, "you named it")
    if not _cards(facts, own):
        own |= _the_card(facts, own, remarks)
    return own


def taken_out(facts: Facts, wishes: Wishes, chosen: Reasons) -> Iterator[Remark]:
    """What the guest loses that it has now, in its definition or in the configuration."""
    for address in dict.fromkeys([*wishes.hostdevs, *wishes.configured]):
        if address in facts.devices and address not in chosen:
            name = f"{facts.name(facts.devices[address])} ({address})"
            has = "the guest has now" if address in wishes.hostdevs else "the configuration lists"
            yield Remark("taken-out", f"{name}, which {has}, is taken out.")


def _is_replaced(facts: Facts, wishes: Wishes, address: PciAddress) -> bool:
    """True for what belongs to a card, if another one was named: it would bring its card along."""
    named = _cards(facts, wishes.asked)
    return bool(named) and bool(_cards(facts, [address]) - named)


def _cards(facts: Facts, addresses: Iterable[PciAddress]) -> set[PciAddress]:
    """The displays that go over with these."""
    members = (m for a in addresses for m in facts.with_it(facts.devices[a]))
    return {member.address for member in members if member.is_display}


def _own(facts: Facts, wishes: Wishes, remarks: list[Remark]) -> Reasons:
    """What the guest has already, as far as it is in this PC."""
    for addresses, reason, where in (
        (wishes.hostdevs, "the guest has it as a <hostdev>", "a <hostdev> of the guest"),
        (wishes.configured, "the configuration lists it", "in the configuration"),
    ):
        remarks += [
            Remark("absent", f"{a} is {where} but not in this PC any more: it is taken out.")
            for a in addresses
            if a not in facts.devices
        ]
        if found := [a for a in addresses if a in facts.devices]:
            return dict.fromkeys(found, reason)
    return {}


def _the_card(facts: Facts, seeds: Reasons, remarks: list[Remark]) -> Reasons:
    """The graphics card for a guest that has none; of several nobody can know which."""
    cards = candidates(facts.devices)
    if len(cards) == 1:
        remarks += _others(facts, cards[0])
        return {cards[0].address: _why_card(cards[0])}
    named = ", ".join(f"{d.address} ({facts.name(d)})" for d in cards)
    what, remedy = "this PC has no graphics card", "name devices: --device ADDRESS"
    if cards:
        what = f"this PC has several graphics cards: {named}"
        remedy = "say which one goes over: --device ADDRESS"
    if not seeds:
        raise refused([HostError(what, remedy)])
    remarks.append(Remark("no-card", f"The guest gets no graphics card: {what}; {remedy}."))
    return {}


def _others(facts: Facts, card: PciDevice) -> Iterator[Remark]:
    mates = {member.address for member in facts.with_it(card)}
    for display in facts.devices.values():
        if display.is_display and display.address not in mates and not display.is_virtual:
            name = f"{facts.name(display)} ({display.address})"
            yield Remark("other-card", f"{name} stays with the host.")


def _why_card(card: PciDevice) -> str:
    if card.is_virtual:
        return f"a virtual function (SR-IOV) of the graphics {card.physical}, which stays"
    if card.connected:
        return f"the graphics card, with a screen on {', '.join(card.connected)}"
    return "the graphics card"
