"""The GLib main loop: waits for processes, times and keys on behalf of the manager."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol

from gi.repository import GLib

from vfiod.config.schema import Config
from vfiod.errors import VfiodError
from vfiod.util.unixloop import on_fd


class Buttons(Protocol):
    """What can be pressed at the host while its screen is the guest's."""

    def listen(self, names: Sequence[str], then: Callable[[], object]) -> None:
        """Call ``then`` at each press of a power button, or of all the named keys together."""

    def ignore(self) -> None:
        """Listen no more."""


class LoopWatcher:
    """Implements vfiod.handoff.watcher.Watcher on the GLib main loop."""

    def __init__(self, load: Callable[[], Config], buttons: Buttons) -> None:
        self._load = load
        self._buttons = buttons

    def on_button(self, then: Callable[[], object]) -> None:
        names: Sequence[str] = ()
        with suppress(VfiodError):
            names = self._load().escape_keys
        in_loop(lambda: self._buttons.listen(names, then))

    def ignore_buttons(self) -> None:
        in_loop(self._buttons.ignore)

    def on_exit(self, pid: int, then: Callable[[], object]) -> None:
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            then()
            return

        def ended(fd: int, _condition: Any) -> bool:
            os.close(fd)
            then()
            return bool(GLib.SOURCE_REMOVE)

        on_fd(fd, GLib.IOCondition.IN, ended)

    def after(self, seconds: float, then: Callable[[], object]) -> None:
        def due() -> bool:
            then()
            return bool(GLib.SOURCE_REMOVE)

        GLib.timeout_add(int(seconds * 1000), due)


def in_loop(task: Callable[[], object]) -> None:
    """Have the main loop do it: the worker must not change what the loop looks at."""

    def once() -> bool:
        task()
        return bool(GLib.SOURCE_REMOVE)

    GLib.idle_add(once)
