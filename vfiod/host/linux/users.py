"""What is done as a user, by transient units of systemd's that have the user's id (systemd-run(1)).

The service cannot change its id (no CAP_SETUID) and need not: systemd begins the process as the
user, and ends it when its time is over, also where a home directory does not answer any more.
"""

import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from itertools import count

from vfiod.errors import HostError
from vfiod.host.linux.process import Programs
from vfiod.paths import PROGRAM

# Then systemd kills it, and gives it up after four times as long (systemd.service(5), KillSignal=).
_LAST_SECONDS = 1
# systemctl's for a unit that is not there, as one that has ended with the session (LSB).
_NOT_LOADED = 5
_MORE = 10  # for all of that, and for systemd to say so


class LinuxUsers:
    """Implements vfiod.host.users.Users."""

    def __init__(self, programs: Programs) -> None:
        self._programs, self._numbers = programs, count(1)

    def remember(self, uid: int, how: str, *, seconds: float) -> None:
        what = "what is open was not written down"
        self._run(uid, "remember", [PROGRAM, "reopen", "--write", how], what, seconds)

    def forget(self, uid: int, *, seconds: float) -> None:
        what = "what was open is still written down"
        self._run(uid, "forget", [PROGRAM, "reopen", "--write", "never"], what, seconds)

    def stop(self, uid: int, units: Collection[str], *, seconds: float) -> None:
        self._manager(uid, "stop", units, seconds)

    def start(self, uid: int, units: Collection[str], *, seconds: float) -> None:
        with suppress(HostError):  # one that is not loaded has no failures to forget
            self._manager(uid, "reset-failed", units, seconds)
        self._manager(uid, "start", units, seconds)

    def restart(self, uid: int, units: Collection[str], *, seconds: float) -> None:
        self._manager(uid, "try-restart", units, seconds)

    def _manager(self, uid: int, verb: str, units: Collection[str], seconds: float) -> None:
        if units:
            argv = ["systemctl", "--user", verb, "--", *sorted(units)]
            what = f"the user's manager did not {verb} {', '.join(sorted(units))}"
            self._run(uid, verb, argv, what, seconds)

    def _run(self, uid: int, name: str, argv: Sequence[str], what: str, seconds: float) -> None:
        unit = f"vfiod-{name}-{uid}-{next(self._numbers)}-{os.getpid()}"
        try:
            self._programs.run(_command(uid, unit, argv, seconds), subject=unit,
                               seconds=seconds + _MORE)  # fmt: skip
        except HostError as error:
            raise HostError(what, f"see: sudo journalctl -b -u {unit}") from error


def _command(uid: int, unit: str, argv: Sequence[str], seconds: float) -> Sequence[str]:
    """Their own bus and manager are found below XDG_RUNTIME_DIR (pam_systemd(8))."""
    runtime = f"/run/user/{uid}"
    return [
        "systemd-run", "--quiet", "--collect", "--wait", f"--unit={unit}", f"--uid={uid}",
        f"--property=RuntimeMaxSec={seconds:g}", f"--property=TimeoutStopSec={_LAST_SECONDS}",
        "--property=KillSignal=SIGKILL", "--property=NoNewPrivileges=yes", "--property=UMask=0077",
        f"--property=SuccessExitStatus={_NOT_LOADED}",
        f"--setenv=XDG_RUNTIME_DIR={runtime}",
        f"--setenv=DBUS_SESSION_BUS_ADDRESS=unix:path={runtime}/bus",
        "--setenv=PYTHONNOUSERSITE=1", "--", *argv,
    ]  # fmt: skip
