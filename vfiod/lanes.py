"""Which steps may be taken side by side: those of devices in different slots. Pure.

Functions of one slot stay in line: their drivers may depend on each other (a card's sound on
its display).
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import TypeVar

from vfiod.steps.base import Step
from vfiod.steps.devices import Detach, KeepAwake

T = TypeVar("T")
Slot = tuple[int, int, int]
Lanes = Sequence[Sequence[T]]


def lanes(items: Iterable[T], step_of: Callable[[T], Step]) -> Sequence[Lanes[T]]:
    """Stages to be taken one after the other, each of lanes that may be taken side by side."""
    stages: list[Lanes[T]] = []
    for has_slot, run in groupby(items, key=lambda item: _slot(step_of(item)) is not None):
        if not has_slot:
            stages.append([list(run)])
            continue
        found: dict[Slot | None, list[T]] = {}
        for item in run:
            found.setdefault(_slot(step_of(item)), []).append(item)
        stages.append(list(found.values()))
    return stages


def _slot(step: Step) -> Slot | None:
    if isinstance(step, Detach | KeepAwake):
        return step.address.domain, step.address.bus, step.address.slot
    return None
