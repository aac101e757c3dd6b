"""The one way to wait in the lab: a named condition and a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class LabError(Exception):
    """The lab itself failed; the message says what was being done."""


class EmulatorCrashed(LabError):
    """QEMU ended by a fault of its own; nothing is known about what was tested in it."""


class Timeout(LabError):
    """A condition did not come true before its deadline."""


def wait_until(what: str, condition: Callable[[], T], timeout: float, pause: float = 0.2) -> T:
    """Poll `condition` until it is true and return its value; `Timeout` names `what`."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise Timeout(f"not within {timeout:g} s: {what}")
        time.sleep(pause)
    return value
