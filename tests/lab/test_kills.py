"""SIGKILL of the daemon at every write of its journal, which surround every step with an undo.

The kernel sends it (tests/lab/emulator/driver), at the Nth rename(2): nothing in vfiod knows of it.
"""

from __future__ import annotations

import pytest

from . import spoil
from .emulator.machine import Lab
from .guest import Guest
from .scene import configure, define, phase, start, stop, wait_for_host

pytestmark = pytest.mark.usefixtures("clean_host")
# begin, one for each of 10 steps that have something to undo, prepared; then started.
HANDOFF = range(1, 13)
# the return begins, one for each step.
RETURN = range(1, 12)
IN_SHORT = (9,)


def each(numbers: range) -> list[object]:
    """All of them, most of which only the long run takes."""
    return [
        pytest.param(n, marks=() if n in IN_SHORT else pytest.mark.long, id=str(n)) for n in numbers
    ]


def kill_at(lab: Lab, number: int) -> str:
    """Have the daemon killed at this write from now on; its pid."""
    pid = lab.output("systemctl", "show", "-P", "MainPID", "vfiod")
    spoil.kill_at_rename(lab, pid, number)
    return pid


def was_killed(lab: Lab, pid: str) -> bool:
    """Whether that process is gone."""
    return lab.run("test", "-d", f"/proc/{pid}", check=False).returncode == 1


@pytest.mark.parametrize("number", each(HANDOFF))
def test_killed_during_a_handoff(lab: Lab, number: int) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    pid = kill_at(lab, number)
    status, words = start(lab)
    lab.wait_until("the daemon's death", lambda: was_killed(lab, pid), timeout=60)
    if status == 0:  # that late, the guest runs: it is adopted
        lab.wait_until("the guest adopted", lambda: phase(lab) == "guest", timeout=60)
        stop(lab)
    else:
        assert "vfiod daemon" in words
    wait_for_host(lab)


@pytest.mark.parametrize("number", each(RETURN))
def test_killed_during_a_return(lab: Lab, number: int) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    assert start(lab) == (0, "")
    lab.wait_until("the guest", lambda: phase(lab) == "guest", timeout=60)
    pid = kill_at(lab, number)
    stop(lab)
    lab.wait_until("the daemon's death", lambda: was_killed(lab, pid), timeout=60)
    wait_for_host(lab)
