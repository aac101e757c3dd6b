"""Asking people at the screen, by a program of vfiod's that runs as them.

root has no business on a user's bus. So systemd runs `vfiod goodbye` under the user's id, in a
unit of its own that ends with its time (systemd-run(1), systemd.exec(5)). It has no login of its
own: that would be one more session. What it prints goes to a file in memory that cannot grow, as
whoever has the same id can write there too.
"""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import count

from vfiod.errors import HostError, VfiodError
from vfiod.host.goodbye import MOST_BYTES, Answer, GoOn, decode
from vfiod.host.linux.late import is_readable
from vfiod.host.linux.process import Programs
from vfiod.model import Session
from vfiod.paths import PROGRAM
from vfiod.util.programs import literal

# For the program to start, which is part of a logout's time and comes before a notification's; to
# say what a logout waits for; for systemd to say that the time is over.
_START, _LAST_WORDS, _END = 20.0, 5.0, 10.0
# How often it is looked whether the answer is wanted still.
_LOOK = 0.5
# For a program that is told to end to take back what it has begun; and for systemd to say so.
_TAKE_BACK = 5.0


class LinuxGoodbyes:
    """Implements vfiod.host.goodbye.Goodbyes. ``stop`` asks for a unit's end."""

    def __init__(self, programs: Programs, stop: Callable[[str], None]) -> None:
        self._programs, self._stop = programs, stop
        self._numbers = count(1)

    def announce(self, session: Session, guest: str, *, seconds: float, go_on: GoOn) -> Answer:
        words = ["announce", session.ident, f"{seconds:g}", "--", guest]
        return self._ask(session, words, seconds + _START, go_on)

    def log_out(
        self, session: Session, guest: str, *, seconds: float, settle: float, go_on: GoOn
    ) -> Answer:
        settling = [f"--settle={settle:g}"] if settle else []
        words = ["log-out", *settling, session.ident, f"{seconds:g}", "--", guest]
        return self._ask(session, words, max(seconds, _START) + _LAST_WORDS, go_on)

    def _ask(self, session: Session, words: Sequence[str], seconds: float, go_on: GoOn) -> Answer:
        go_on()
        unit = f"vfiod-goodbye-{next(self._numbers)}-{os.getpid()}"
        argv = [*_systemd_run(unit, session.uid, seconds), PROGRAM, "goodbye"]
        try:
            said = self._programs.run(
                [*argv, *map(literal, words)],
                subject=unit, seconds=seconds + _END, most=MOST_BYTES,
                wait=partial(_wait, go_on, partial(self._stop, f"{unit}.service")),
            )  # fmt: skip
        except HostError as error:
            go_on()
            if type(error) is not HostError:
                raise
            text = f"{session.user} could not be asked, or gave no answer in time"
            raise HostError(text, f"see: sudo journalctl -b -u {unit}") from error
        go_on()
        return decode(said)


def _wait(go_on: GoOn, stop: Callable[[], None], ended: int, seconds: float) -> bool:
    """True if it ends within the time, or is ended because nobody wants its answer any more."""
    deadline = time.monotonic() + seconds
    while not is_readable(ended, _LOOK):
        if time.monotonic() >= deadline:
            return False
        try:
            go_on()
        except VfiodError:
            return _end(stop, ended)
    return True


def _end(stop: Callable[[], None], ended: int) -> bool:
    """True if it ends; told again and again, as systemd may not have begun it yet."""
    deadline = time.monotonic() + 2 * _TAKE_BACK
    while time.monotonic() < deadline:
        with suppress(HostError):
            stop()
        if is_readable(ended, _LOOK):
            return True
    return False


def _systemd_run(unit: str, uid: int, seconds: float) -> Sequence[str]:
    runtime = f"/run/user/{uid}"  # pam_systemd(8)
    return (
        "systemd-run", "--quiet", "--collect", "--wait", "--pipe", f"--unit={unit}",
        f"--uid={uid}", f"--setenv=XDG_RUNTIME_DIR={runtime}", "--setenv=PYTHONNOUSERSITE=1",
        f"--property=RuntimeMaxSec={seconds:g}", f"--property=TimeoutStopSec={_TAKE_BACK:g}",
        "--property=NoNewPrivileges=yes", "--property=ProtectSystem=strict",
        "--property=TasksMax=64",
    )  # fmt: skip
