"""Which steps may be taken side by side: neighbours that have different serial keys. Pure.

Functions of one slot share a serial key: their drivers may depend on each other (a card's sound on
its display), and so do Intel's displays and sound, whose slots may differ. The units of a desktop
share another one, which is begun first: it takes the longest.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import TypeVar

from vfiod.handoff.journal import Entry
from vfiod.handoff.steps.base import Step
from vfiod.handoff.steps.desktop import SERIAL_KEY as DESKTOP

T = TypeVar("T")
Stage = Sequence[Sequence[T]]


def stages(steps: Iterable[Step]) -> Sequence[Stage[Step]]:
    """Stages to be taken one after the other, each of groups that may be taken side by side."""
    runs = groupby(steps, key=lambda step: step.serial_key is not None)
    return [_by_key(run, lambda step: step) for _, run in runs]


def stages_back(entries: Sequence[Entry]) -> Sequence[Stage[Entry]]:
    """The same stages, newest first.

    By the number each entry was given: what stood between two of them may be undone already, and
    they must not become neighbours for it.
    """
    runs = groupby(reversed(entries), key=lambda entry: entry.stage)
    return [_by_key(run, lambda entry: entry.step) for _, run in runs]


def _by_key(run: Iterable[T], step_of: Callable[[T], Step]) -> Stage[T]:
    found: dict[str | None, list[T]] = {}
    for item in run:
        found.setdefault(step_of(item).serial_key, []).append(item)
    return [found[key] for key in sorted(found, key=lambda key: key != DESKTOP)]
