"""Asking people at the screen, by a program of vfiod's that runs as them.

root has no business on a user's bus. So systemd runs `vfiod goodbye` under the user's id, in a
unit of its own that ends with its time (systemd-run(1), systemd.exec(5)). It has no login of its
own: that would be one more session. What it prints goes to a file in memory that cannot grow, as
whoever has the same id can write there too.
"""

import os
from collections.abc import Sequence
from itertools import count

from vfiod.errors import HostError
from vfiod.host.goodbye import MOST_BYTES, Answer, decode
from vfiod.host.linux.process import Programs
from vfiod.model import Session
from vfiod.paths import PROGRAM
from vfiod.util.programs import literal

# For the program to start, which is part of a logout's time and comes before a notification's; to
# say what a logout waits for; for systemd to say that the time is over.
_START, _LAST_WORDS, _END = 20.0, 5.0, 10.0


class LinuxGoodbyes:
    """Implements vfiod.host.goodbye.Goodbyes."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self._numbers = count(1)

    def announce(self, session: Session, guest: str, *, seconds: float) -> Answer:
        words = ["announce", session.ident, f"{seconds:g}", "--", guest]
        return self._ask(session, words, seconds + _START)

    def log_out(self, session: Session, guest: str, *, seconds: float, settle: float) -> Answer:
        settling = [f"--settle={settle:g}"] if settle else []
        words = ["log-out", *settling, session.ident, f"{seconds:g}", "--", guest]
        return self._ask(session, words, max(seconds, _START) + _LAST_WORDS)

    def _ask(self, session: Session, words: Sequence[str], seconds: float) -> Answer:
        unit = f"vfiod-goodbye-{next(self._numbers)}-{os.getpid()}"
        argv = [*_systemd_run(unit, session.uid, seconds), PROGRAM, "goodbye"]
        try:
            said = self._programs.run(
                [*argv, *map(literal, words)],
                subject=unit, seconds=seconds + _END, most=MOST_BYTES,
            )  # fmt: skip
        except HostError as error:
            if type(error) is not HostError:
                raise
            text = f"{session.user} could not be asked, or gave no answer in time"
            raise HostError(text, f"see: sudo journalctl -b -u {unit}") from error
        return decode(said)


def _systemd_run(unit: str, uid: int, seconds: float) -> Sequence[str]:
    runtime = f"/run/user/{uid}"  # pam_systemd(8)
    return (
        "systemd-run", "--quiet", "--collect", "--wait", "--pipe", f"--unit={unit}",
        f"--uid={uid}", f"--setenv=XDG_RUNTIME_DIR={runtime}", "--setenv=PYTHONNOUSERSITE=1",
        f"--property=RuntimeMaxSec={seconds:g}",
        "--property=NoNewPrivileges=yes", "--property=ProtectSystem=strict",
        "--property=TasksMax=64",
    )  # fmt: skip
