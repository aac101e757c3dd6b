"""What the core asks of the main loop and of the worker, for what happens later."""

from collections.abc import Callable
from typing import Protocol

# Queues a task with its arguments for the worker.
Submit = Callable[..., object]


class Watcher(Protocol):
    """The main loop's eye on things that happen later."""

    def on_exit(self, pid: int, then: Callable[[], object]) -> None:
        """Call ``then`` once the process has ended (pidfd_open(2))."""

    def after(self, seconds: float, then: Callable[[], object]) -> None:
        """Call ``then`` after a time."""

    def on_button(self, then: Callable[[], object]) -> None:
        """Call ``then`` at each press of the power button, until ignore_buttons()."""

    def ignore_buttons(self) -> None:
        """The power button is none of our business any more."""
