"""Story: what became of one start of a guest, told from the journal's entries. Pure."""

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from vfiod.events import Kind
from vfiod.model import Direction
from vfiod.tools.log.entry import Entry

_REFUSALS = frozenset({Kind.REFUSED, Kind.CONFIG_WRONG})
_PROBLEMS = _REFUSALS | {Kind.STUCK, Kind.START_TIMED_OUT, Kind.KERNEL_STUCK}
# Of no start: the hook's installation, and what was asked for over the bus.
_NO_PART = frozenset({Kind.HOOK, Kind.ASKED})
_STEPS = frozenset({Kind.STEP_DONE, Kind.STEP_FAILED, Kind.REMEDY})
_COMPLETE = frozenset({Kind.HANDOFF_COMPLETE, Kind.RETURN_COMPLETE})
# Of a way whose first word the journal has forgotten; a roll-back has none.
_UNNAMED = {
    Direction.HANDOFF: "handing devices over",
    Direction.RETURN: "putting back what was done",
}
_TOOK = re.compile(r" \([0-9.]+ s\)$")


class Outcome(Enum):
    """How far a start has come; the last but one is how it should end."""

    REFUSED = "refused"
    HANDOFF = "handoff"
    GUEST = "guest"
    RETURN = "return"
    STUCK = "stuck"
    RETURNED = "returned"
    FAILED = "failed"


OPEN = frozenset({Outcome.HANDOFF, Outcome.GUEST, Outcome.RETURN, Outcome.STUCK})
BAD = frozenset({Outcome.REFUSED, Outcome.STUCK, Outcome.FAILED})
_CAUSES = {
    Outcome.REFUSED: _REFUSALS,
    Outcome.FAILED: frozenset({Kind.STEP_FAILED, Kind.START_TIMED_OUT}),
    Outcome.STUCK: frozenset({Kind.STUCK}),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step; ``start`` in seconds after the way began. ``text`` has the reason if it failed."""

    text: str
    kind: str
    device: str
    start: float
    seconds: float
    done: bool

    @property
    def end(self) -> float:
        return self.start + self.seconds


@dataclass(frozen=True, slots=True)
class Way:
    """Steps in one direction. ``began`` in seconds since boot; ``complete``: it reached its end."""

    direction: Direction
    text: str
    began: float
    seconds: float
    complete: bool
    steps: tuple[Step, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """One start: refused, or handed over and in the end returned.

    ``problems`` is what went wrong beside the steps that failed, ``remedy`` what the catalog says
    about it, empty if it was overcome. ``held``: seconds that the guest had the devices.
    ``rebooted``: it was open when the host was rebooted or switched off.
    """

    guest: str
    transaction: str
    began: datetime
    outcome: Outcome
    ways: tuple[Way, ...]
    problems: tuple[str, ...]
    remedy: str
    held: float | None
    rebooted: bool
    notes: tuple[str, ...]


def find_stories(entries: Iterable[Entry], *, boot: str, guest: str | None = None) -> list[Story]:
    """All stories, or those of one guest, by their beginning. ``boot`` is the one under way."""
    stories = [_story(group, boot) for group in _groups(entries)]
    return [story for story in stories if guest in (None, story.guest)]


# Which entries belong together


def _groups(entries: Iterable[Entry]) -> list[list[Entry]]:
    groups: list[list[Entry]] = []
    by_transaction: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.kind in _NO_PART:
            continue
        group = by_transaction.get(entry.transaction) or _home(entry, groups)
        if group is None:
            group = []
            groups.append(group)
        if entry.transaction:
            by_transaction[entry.transaction] = group
        group.append(entry)
    return groups


def _home(entry: Entry, groups: Sequence[list[Entry]]) -> list[Entry] | None:
    """Where an entry without a transaction belongs: to the start that is open, if it is of it."""
    if entry.transaction or entry.kind in _REFUSALS or not groups:
        return None
    for group in reversed(groups):
        if group[0].boot == entry.boot and _is_open(group) and entry.guest in ("", group[0].guest):
            return group
    return None


def _is_open(group: Sequence[Entry]) -> bool:
    return _outcome(group) in OPEN


# What one group tells


def _story(group: Sequence[Entry], boot: str) -> Story:
    outcome = _outcome(group)
    ways = tuple(_ways(group))
    problems = [entry.message for entry in group if _is_problem(entry)]
    return Story(
        guest=group[0].guest,
        transaction=group[0].transaction,
        began=group[0].when,
        outcome=outcome,
        ways=ways,
        problems=tuple(dict.fromkeys(problems)),
        remedy=_remedy(group, outcome),
        held=None if outcome is Outcome.FAILED else _held(ways),
        rebooted=outcome in OPEN and group[-1].boot != boot,
        notes=tuple(entry.message for entry in group if entry.kind is Kind.ADOPTED),
    )


def _is_problem(entry: Entry) -> bool:
    """A step that failed stands among the steps; only a fault of vfiod's own has no place there."""
    return entry.kind in _PROBLEMS or (entry.kind is Kind.STEP_FAILED and entry.began is None)


def _remedy(group: Sequence[Entry], outcome: Outcome) -> str:
    """What the catalog says about the problem that the outcome came from."""
    kinds = _CAUSES.get(outcome, frozenset())
    return next((e.explanation for e in reversed(group) if e.kind in kinds), "")


_OUTCOMES = {
    Kind.REFUSED: Outcome.REFUSED,
    Kind.CONFIG_WRONG: Outcome.REFUSED,
    Kind.HANDOFF_BEGUN: Outcome.HANDOFF,
    Kind.HANDOFF_COMPLETE: Outcome.GUEST,
    Kind.ADOPTED: Outcome.GUEST,
    Kind.RETURN_BEGUN: Outcome.RETURN,
    Kind.RETURN_COMPLETE: Outcome.RETURNED,
    Kind.STUCK: Outcome.STUCK,
}


def _outcome(group: Sequence[Entry]) -> Outcome:
    """By the last entry that decides. What came back and was never a guest's has failed."""
    kinds = [entry.kind for entry in group]
    last = next((_OUTCOMES[kind] for kind in reversed(kinds) if kind in _OUTCOMES), Outcome.FAILED)
    gone_over = Kind.HANDOFF_COMPLETE in kinds or Kind.HANDOFF_BEGUN not in kinds
    if last is Outcome.RETURNED and (Kind.START_TIMED_OUT in kinds or not gone_over):
        return Outcome.FAILED
    return last


def _ways(group: Sequence[Entry]) -> list[Way]:
    """Cut where a way begins: at its word, or where the undoing of a failed handoff sets in."""
    parts: list[tuple[Direction, list[Entry]]] = []
    for entry in group:
        direction = _direction(entry)
        if direction is None:
            continue
        begins = entry.kind in (Kind.HANDOFF_BEGUN, Kind.RETURN_BEGUN)
        if begins or not parts or parts[-1][0] is not direction:
            parts.append((direction, []))
        parts[-1][1].append(entry)
    ways = [_way(direction, entries) for direction, entries in parts]
    return [way for way in ways if way is not None]


def _direction(entry: Entry) -> Direction | None:
    if entry.kind in (Kind.HANDOFF_BEGUN, Kind.HANDOFF_COMPLETE):
        return Direction.HANDOFF
    if entry.kind in (Kind.RETURN_BEGUN, Kind.RETURN_COMPLETE):
        return Direction.RETURN
    return entry.direction


def _way(direction: Direction, entries: Sequence[Entry]) -> Way | None:
    first = entries[0]
    # The end of a failed start counts from the start's beginning; its own way began later.
    starts = [e.began for e in entries if e.began is not None and e.kind not in _COMPLETE]
    if not starts:
        return None
    began = min(starts)
    # Steps that are taken side by side are told as they end.
    steps = [_step(e, began) for e in entries if e.kind in _STEPS and e.began is not None]
    begun = first.kind in (Kind.HANDOFF_BEGUN, Kind.RETURN_BEGUN)
    return Way(
        direction=direction,
        text=first.message if begun else _UNNAMED[direction],
        began=began,
        seconds=max([e.ended for e in entries if e.ended is not None], default=began) - began,
        complete=entries[-1].kind in _COMPLETE,
        steps=tuple(sorted(steps, key=lambda step: step.start)),
        remarks=tuple(e.message for e in entries if e.kind is Kind.REMARK),
    )


def _step(entry: Entry, way_began: float) -> Step:
    return Step(
        text=_TOOK.sub("", entry.message),
        kind=entry.step,
        device=entry.device,
        start=(entry.began or 0.0) - way_began,
        seconds=entry.seconds or 0.0,
        done=entry.kind is not Kind.STEP_FAILED,
    )


def _held(ways: Sequence[Way]) -> float | None:
    """From the end of the handoff to the beginning of the return that followed it."""
    for there, back in itertools.pairwise(ways):
        if there.direction is Direction.HANDOFF and there.complete:
            return back.began - (there.began + there.seconds)
    return None
