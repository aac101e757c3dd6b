"""Findings about resets: can the card start afresh for its next owner? Pure."""

import shlex

from vfiod.host.facts.pci import PciDevice
from vfiod.model import PciAddress
from vfiod.tools.doctor.facts import Facts
from vfiod.tools.doctor.resets import known_troubles
from vfiod.tools.groups.sets import reset_ways
from vfiod.util.finding import Findings, ok, warn

_WHY = "Without a reset the card may not start again for its next owner, be it guest or host."


def reset_methods(facts: Facts) -> Findings:
    """The ways that are left with what goes over (see vfiod.tools.groups.sets.reset_ways)."""
    check, leaving = "reset", facts.leaving
    for device in facts.leaving_displays:
        staying = [a for a in _slot(facts, device) if a not in {d.address for d in leaving}]
        if ways := reset_ways(device, leaving, facts.devices):
            yield ok(check, f"{device.address}: can be reset ({', '.join(ways)})")
        elif staying:
            yield warn(
                check,
                f"{device.address}: cannot be reset while {_listed(staying)} stays with the host",
                why=f"Only a card that goes over with all its functions can be reset. {_WHY}",
                remedy="List all functions of the card in /etc/vfiod/vfiod.yaml.",
                command="vfiod groups",
            )
        else:
            yield warn(
                check,
                f"{device.address}: the kernel knows no way to reset it",
                why=_WHY,
                remedy="Try two starts of the guest before you rely on it.",
                command="sudo vfiod try "
                f"{shlex.quote(facts.guest.name) if facts.guest else 'GUEST'}",
            )


def _slot(facts: Facts, device: PciDevice) -> list[PciAddress]:
    return [address for address in facts.devices if address.same_slot(device.address)]


def _listed(addresses: list[PciAddress]) -> str:
    return " and ".join(map(str, addresses))


def troubles(facts: Facts) -> Findings:
    """What is known of the card's generation, its driver and this kernel."""
    for device in facts.leaving:
        for trouble in known_troubles(device, facts.kernel.version, facts.kernel.nvidia):
            yield warn(
                "reset-trouble",
                f"{device.address}: {trouble.name} is known for trouble",
                why=f"{trouble.what[0].upper()}{trouble.what[1:]}.",
                remedy=trouble.remedy,
                source=trouble.source,
            )


CHECKS = (reset_methods, troubles)
