"""A way: the steps that were taken in one direction, found in the journal's entries. Pure."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from vfiod.events import Kind
from vfiod.model import Direction
from vfiod.tools.log.entry import Entry

_STEPS = frozenset({Kind.STEP_DONE, Kind.STEP_FAILED, Kind.REMEDY})
_COMPLETE = frozenset({Kind.HANDOFF_COMPLETE, Kind.RETURN_COMPLETE})
# Of a way whose first word the journal has forgotten; a roll-back has none.
_UNNAMED = {
    Direction.HANDOFF: "handing devices over",
    Direction.RETURN: "putting back what was done",
}
_TOOK = re.compile(r" \([0-9.]+ s\)$")


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


def find_ways(group: Sequence[Entry]) -> list[Way]:
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


def seconds_held(ways: Sequence[Way]) -> float | None:
    """From the end of the handoff to the beginning of the return that followed it."""
    for there, back in itertools.pairwise(ways):
        if there.direction is Direction.HANDOFF and there.complete:
            return back.began - (there.began + there.seconds)
    return None


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
