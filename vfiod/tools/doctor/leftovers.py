"""Findings about set-ups that give the card to vfio-pci at boot and for ever. Pure."""

from vfiod.tools.doctor.facts import Facts
from vfiod.tools.leftovers.classify import Effect
from vfiod.tools.leftovers.find import Leftover, in_the_way
from vfiod.util.finding import Finding, Findings, Level, ok

_LEVELS = {Effect.DEFEATS: Level.FAIL, Effect.ASSISTS: Level.WARN, Effect.UNSURE: Level.WARN}
_WHY = {
    Effect.DEFEATS: "vfiod hands the card over when a guest starts. With this the host never gets "
    "its display back.",
    Effect.ASSISTS: "It is part of a set-up that gives the card away at boot, and of no use with "
    "vfiod.",
    Effect.UNSURE: "If it gives the card away at boot, the host never gets its display back.",
}
_LOOK = "Look at it: vfiod does not touch what it does not understand."


def leftovers(facts: Facts) -> Findings:
    """One finding for each line that does harm, the worst first: what setup takes out.

    And what a person must look at.
    """
    found = [*in_the_way(facts.leftovers),
             *(item for item in facts.leftovers if item.effect is Effect.UNSURE)]  # fmt: skip
    yield from map(_leftover, sorted(found, key=lambda leftover: -_LEVELS[leftover.effect]))
    if not found:
        yield ok("leftovers", "nothing gives the card to vfio-pci at boot")


def _leftover(leftover: Leftover) -> Finding:
    is_unsure = leftover.effect is Effect.UNSURE
    return Finding(
        check="leftovers",
        level=_LEVELS[leftover.effect],
        fact=f"{leftover.place}: “{leftover.text}” {leftover.why}",
        why=_WHY[leftover.effect],
        remedy=_LOOK if is_unsure else "Let vfiod take it out (a copy is kept), then reboot.",
        command="" if is_unsure else "sudo vfiod setup",
    )


CHECKS = (leftovers,)
