"""Waiting for a start that was asked for: its countdown, what happens, how it ended."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from vfiod.cli.client import Client
from vfiod.cli.progress import shown
from vfiod.errors import Busy, HostError, TimedOut, Unreachable

_START_SECONDS = 1200.0
_TICK = 1.0


@dataclass(slots=True)
class Outcome:
    """How the start of one guest ended; ``error`` is None if it runs."""

    guest: str
    ended: threading.Event = field(default_factory=threading.Event)
    error: HostError | Unreachable | None = None
    is_begun: bool = False

    def hear(self, guest: str, started: bool, message: str) -> None:  # noqa: FBT001
        """The signal StartEnded, which may be about another guest."""
        if guest == self.guest:
            hint = "see: sudo vfiod log --last" if self.is_begun else ""
            self.end(None if started else HostError(message, hint))

    def begun(self, guest: str) -> None:
        """A step was taken for one: only then the service's log tells of this start."""
        self.is_begun = self.is_begun or guest == self.guest

    def end(self, error: HostError | Unreachable | None) -> None:
        """The first word counts."""
        if not self.ended.is_set():
            self.error = error
            self.ended.set()


@contextmanager
def heard(client: Client, guest: str) -> Iterator[Outcome]:
    """Print what the service tells, and hear how the start ends."""
    outcome = Outcome(guest)
    client.on_handoff(outcome.begun)
    client.on_start_ended(outcome.hear)
    gone = Unreachable("the vfiod service has gone", "see: systemctl status vfiod")
    client.on_gone(lambda: outcome.end(gone))
    with shown(client, repeats=True):
        yield outcome


def start(client: Client, outcome: Outcome, *, countdown: int) -> int:
    """Have the guest started and wait. Exit status; raises what went wrong.

    Ctrl+C cancels until the countdown is over, also while the service is being asked: it comes to
    Python only after the answer, when the countdown runs.
    """
    try:
        client.start_guest(outcome.guest, seconds=countdown)
        _count_down(outcome, countdown)
        if not outcome.ended.wait(_START_SECONDS):
            raise TimedOut(f"{outcome.guest} has not started by now", "see: vfiod status")
    except KeyboardInterrupt:
        return _cancel(client, outcome.guest)
    if outcome.error is not None:
        raise outcome.error
    return 0


def _count_down(outcome: Outcome, seconds: int) -> None:
    ends = time.monotonic() + seconds
    text = f"{outcome.guest} starts in {{}} s; Ctrl+C cancels."
    if seconds and not sys.stdout.isatty():
        print(text.format(seconds), flush=True)
    while (left := ends - time.monotonic()) > 0 and not outcome.ended.wait(min(_TICK, left)):
        if sys.stdout.isatty():
            print(f"\r\x1b[K{text.format(round(ends - time.monotonic()))}", end="", flush=True)
    if seconds and sys.stdout.isatty():
        print(flush=True)


def _cancel(client: Client, guest: str) -> int:
    try:
        client.cancel_start(guest)
    except Busy as error:
        print(f"\nIt is too late to cancel: {error}", file=sys.stderr)
    else:
        print(f"\nCancelled: {guest} was not started.", flush=True)
    return 130
