"""Story: what became of one start of a guest, told from the journal's entries. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from vfiod.events import Kind
from vfiod.tools.log.entry import Entry
from vfiod.tools.log.way import Way, find_ways, seconds_held

_REFUSALS = frozenset({Kind.REFUSED, Kind.CONFIG_WRONG})
_PROBLEMS = _REFUSALS | {Kind.STUCK, Kind.START_TIMED_OUT, Kind.KERNEL_STUCK}
# Of no start: the hook's installation, and what was asked for over the bus.
_NO_PART = frozenset({Kind.HOOK, Kind.ASKED})


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
    ways = tuple(find_ways(group))
    problems = [entry.message for entry in group if _is_problem(entry)]
    return Story(
        guest=group[0].guest,
        transaction=group[0].transaction,
        began=group[0].when,
        outcome=outcome,
        ways=ways,
        problems=tuple(dict.fromkeys(problems)),
        remedy=_remedy(group, outcome),
        held=None if outcome is Outcome.FAILED else seconds_held(ways),
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
