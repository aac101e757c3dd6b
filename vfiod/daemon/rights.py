"""Which right each call takes: polkit's actions, as config/org.vfiod1.policy has them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from vfiod.handoff.decision.ending import Person


@dataclass(frozen=True, slots=True)
class Action:
    """``ident`` is polkit's, ``what`` completes "you may not ..."."""

    ident: str
    what: str


RETURN = Action("org.vfiod1.return", "take the devices back")
REHEARSE = Action("org.vfiod1.rehearse", "rehearse a handoff")
START = Action("org.vfiod1.start", "start a guest")
START_OTHERS = Action("org.vfiod1.start-others", "start a guest, which ends the work of others")
CANCEL = Action("org.vfiod1.cancel", "cancel a start that somebody else has begun")
PROPOSE = Action("org.vfiod1.propose-session", "change what the login screen proposes")
SHUTDOWN = Action("org.vfiod1.shutdown-guest", "end a guest")
KEEP = Action("org.vfiod1.keep", "confirm a guest that is on trial")


def to_start(people: Sequence[Person], caller: str) -> Action:
    """What it takes to end the work of these people: for one's own alone, less."""
    return START_OTHERS if others(people, caller) else START


def others(people: Sequence[Person], caller: str) -> list[str]:
    """Those of them who are somebody else."""
    return [person.user for person in people if person.user != caller]
