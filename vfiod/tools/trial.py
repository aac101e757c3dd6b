"""Transient timers of systemd's, for what must happen even if its author is gone by then.

systemd-run(1), and systemctl(1) to take one back.
"""

from collections.abc import Sequence

from vfiod.errors import HostError
from vfiod.host.commands import time_is_over
from vfiod.util.programs import Done, finish, literal

_SECONDS = 30.0


def begin(unit: str, argv: Sequence[str], *, seconds: float) -> None:
    """Have a program run as root after this time, and nothing else that was set as this unit.

    Raises HostError if systemd refuses.
    """
    options = [f"--unit={unit}", f"--on-active={seconds:g}s", "--timer-property=AccuracySec=1s"]
    command = ("systemd-run", "--quiet", "--collect", *options, *map(literal, argv))
    done = _run(*command)
    if done.returncode:
        # An earlier one may have been left, by a start that never came to a handoff.
        _run("systemctl", "--no-ask-password", "stop", f"{unit}.timer", f"{unit}.service")
        done = _run(*command)
    if done.returncode:
        raise HostError(
            f"systemd does not set the timer {unit}: {done.stderr.strip()}",
            "run it as root; a trial under way ends with: sudo vfiod keep",
        )


def cancel(unit: str) -> bool:
    """Take a timer back; False if there is none. Raises HostError if systemd refuses."""
    if _run("systemctl", "is-active", f"{unit}.timer").returncode:
        return False
    done = _run("systemctl", "stop", f"{unit}.timer")
    if done.returncode:
        raise HostError(f"systemd does not stop {unit}.timer: {done.stderr.strip()}", "as root")
    return True


def confirm(unit: str) -> bool:
    """cancel(), for who wants the guest to stay. Raises Refused if its time is over."""
    _require_time(unit)
    found = cancel(unit)
    _require_time(unit)  # it may just have elapsed
    return found


def _require_time(unit: str) -> None:
    """The timer is active on while what it has begun runs (systemd.timer(5))."""
    if not _run("systemctl", "is-active", f"{unit}.service").returncode:
        raise time_is_over()


def _run(program: str, *arguments: str) -> Done:
    return finish([program, *arguments], seconds=_SECONDS)
