"""Which steps may be taken side by side: neighbours of one stage, in different lanes. Pure."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import TypeVar

from vfiod.steps.base import Step

T = TypeVar("T")
Lanes = Sequence[Sequence[T]]


def lanes(items: Iterable[T], step_of: Callable[[T], Step]) -> Sequence[Lanes[T]]:
    """Stages to be taken one after the other, each of lanes that may be taken side by side."""

    def stage_of(item: T) -> str | None:
        lane = step_of(item).lane
        return lane.stage if lane else None

    return [_by_lane(run, step_of) for _, run in groupby(items, key=stage_of)]


def _by_lane(run: Iterable[T], step_of: Callable[[T], Step]) -> Lanes[T]:
    found: dict[str, list[T]] = {}
    for item in run:
        lane = step_of(item).lane
        found.setdefault(lane.lane if lane else "", []).append(item)
    return list(found.values())
