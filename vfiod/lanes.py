"""Which steps may be taken side by side: neighbours that name different lanes. Pure.

Functions of one slot share a lane: their drivers may depend on each other (a card's sound on its
display). The units of a desktop share another one.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import TypeVar

from vfiod.steps.base import Step

T = TypeVar("T")
Lanes = Sequence[Sequence[T]]


def lanes(items: Iterable[T], step_of: Callable[[T], Step]) -> Sequence[Lanes[T]]:
    """Stages to be taken one after the other, each of lanes that may be taken side by side."""
    stages = groupby(items, key=lambda item: step_of(item).lane is not None)
    return [_by_lane(run, step_of) for _, run in stages]


def _by_lane(run: Iterable[T], step_of: Callable[[T], Step]) -> Lanes[T]:
    found: dict[str | None, list[T]] = {}
    for item in run:
        found.setdefault(step_of(item).lane, []).append(item)
    return list(found.values())
