"""Reads what vfiod did, and how long each step took, from the lab's system journal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.lab.emulator.machine import Lab
from tests.lab.emulator.waiting import LabError

HANDOFF, RETURN = "handoff", "return"


@dataclass(frozen=True)
class Step:
    """One step as the journal tells it; times in seconds since the lab's boot."""

    name: str
    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True)
class Way:
    """All steps of one direction of one transaction, oldest first; never empty."""

    direction: str
    steps: tuple[Step, ...]

    @property
    def start(self) -> float:
        return min(step.start for step in self.steps)

    @property
    def seconds(self) -> float:
        """From the start of the first step to the end of the last: steps may overlap."""
        return max(step.end for step in self.steps) - self.start


def read(lab: Lab) -> tuple[Way, Way]:
    """Handoff and return of the latest transaction in the lab's journal."""
    text = lab.output("journalctl", "-b", "-t", "vfiod", "-o", "json", "--no-pager")
    return parse(text.splitlines())


def parse(lines: Iterable[str]) -> tuple[Way, Way]:
    """The same from lines of `journalctl -o json`."""
    entries = [json.loads(line) for line in lines]
    timed = [entry for entry in entries if "VFIOD_DURATION_USEC" in entry]
    latest = next((e["VFIOD_TRANSACTION"] for e in reversed(timed) if "VFIOD_STEP" in e), None)
    if latest is None:
        raise LabError(
            f"no step of vfiod in the journal: {len(entries)} entries of `journalctl -t vfiod`, "
            f"{len(timed)} with VFIOD_DURATION_USEC, none of them with VFIOD_STEP"
        )
    ours = [entry for entry in timed if entry.get("VFIOD_TRANSACTION") == latest]
    return _way(ours, HANDOFF), _way(ours, RETURN)


def _way(entries: Iterable[Mapping[str, str]], direction: str) -> Way:
    steps = tuple(
        _step(entry)
        for entry in entries
        if "VFIOD_STEP" in entry and entry.get("VFIOD_DIRECTION") == direction
    )
    if not steps:
        raise LabError(f"no step with VFIOD_DIRECTION={direction} in the journal of vfiod")
    return Way(direction, steps)


def _step(entry: Mapping[str, str]) -> Step:
    start = int(entry["VFIOD_BEGAN_USEC"]) / 1e6
    name = " ".join(filter(None, (entry["VFIOD_STEP"], entry.get("VFIOD_DEVICE"))))
    return Step(name, start, start + int(entry["VFIOD_DURATION_USEC"]) / 1e6)
