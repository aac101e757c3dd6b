"""Compositors without a session manager: their windows are closed, then they end.

A window that is closed so asks about what is unsaved, as if the person had closed it. Only when
all are gone is the compositor told to end; it ends hard whoever is left.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from vfiod.errors import HostError


@dataclass(frozen=True, slots=True)
class Window:
    """``handle`` is what its compositor knows it by; ``program`` what a person does."""

    handle: str
    program: str


class Compositor(Protocol):
    """All raise HostError if it does not answer, or is not there any more."""

    def windows(self) -> Sequence[Window]:
        """Those of programs, hidden ones too."""

    def close(self, window: Window) -> None:
        """Ask for its end, as its own button does."""

    def end(self) -> None:
        """Have the compositor itself end."""


class Windows:
    """A desktop that is its windows. Implements vfiod.tools.goodbye.desktop.Desktop.

    ``is_gone``: whether the compositor's process is; one that does not answer may have its reasons.
    """

    patience = math.inf

    def __init__(self, compositor: Compositor, is_gone: Callable[[], bool]) -> None:
        self._compositor, self._is_gone = compositor, is_gone
        self._left: Sequence[Window] = ()
        self._told_to_end = False

    def begin(self) -> None:
        self._left = self._compositor.windows()
        for window in self._left:
            with suppress(HostError):  # it has just been closed
                self._compositor.close(window)

    def look(self) -> bool:
        """It is told to end once no window is left."""
        if self._is_gone():
            return True
        with suppress(HostError):
            self._left = self._compositor.windows()
            if not self._left and not self._told_to_end:
                self._told_to_end = True
                self._compositor.end()
        return False

    def was_cancelled(self) -> bool:
        return False

    def has_failed(self) -> bool:
        return False

    def waits_for(self) -> Sequence[str]:
        return sorted({window.program for window in self._left})

    def withdraw(self) -> None:
        """A window that asks ends nothing by itself."""
