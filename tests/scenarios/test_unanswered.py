"""A question that gets no answer, once: what would have been done is done, or it is told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.rig import Rig
from tests.scenarios.test_late import DM, phase, spoil
from vfiod.errors import Stuck, TimedOut
from vfiod.events import Kind
from vfiod.model import Phase


def silence(place: Any, name: str, patch: pytest.MonkeyPatch, *, times: int = 1) -> None:
    """Have the next calls of a door go unanswered."""
    real: Callable[..., Any] = getattr(place, name)
    left = times

    def ask(*arguments: Any, **named: Any) -> Any:
        nonlocal left
        if left:
            left -= 1
            raise TimedOut(f"no answer to {name} in time")
        return real(*arguments, **named)

    patch.setattr(place, name, ask)


def test_a_late_unit_that_systemd_does_not_tell_of_once_is_asked_about_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = rig.start()
    rig.host.user.units[DM].start_takes = 90
    rig.end_guest(pid)
    assert phase(rig) is Phase.STUCK
    silence(rig.host.units, "unit", monkeypatch)
    for _ in range(20):
        rig.pass_time(5)
    assert phase(rig) is Phase.HOST
    assert rig.differences() == {}


def test_a_recovery_waits_on_for_a_unit_that_systemd_does_not_tell_of_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = rig.start()
    rig.host.user.units[DM].start_takes = 21
    real = rig.host.units.unit

    def unit(name: str) -> Any:
        found = real(name)
        if found.busy:
            monkeypatch.undo()
            raise TimedOut("no answer to ListUnitsByNames in time")
        return found

    monkeypatch.setattr(rig.host.units, "unit", unit)
    rig.end_guest(pid)
    assert phase(rig) is Phase.HOST
    assert len(rig.messages(Kind.STEP_FAILED)) == 1  # the late start itself
    assert rig.differences() == {}


def test_a_recovery_that_is_broken_off_is_stuck_and_says_why(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = rig.start()
    rig.host.kernel.devices[pcs.VGA].cure = "nothing"
    silence(rig.host.pci, "reset_methods", monkeypatch)
    rig.end_guest(pid)
    assert phase(rig) is Phase.STUCK
    assert str(pcs.VGA) in rig.status.read()["faults"][0]
    assert any("the recovery was broken off: no answer" in text
               for text in rig.messages(Kind.STEP_FAILED))  # fmt: skip
    assert rig.messages(Kind.STUCK)
    rig.host.kernel.devices[pcs.VGA].cure = None
    assert rig.return_devices() is None
    assert rig.differences() == {}


def test_what_the_recovery_had_brought_back_before_it_broke_off_is_not_called_missing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = rig.start()
    rig.host.kernel.devices[pcs.VGA].cure = "probe"
    silence(rig.host.pci, "reset_methods", monkeypatch)
    rig.end_guest(pid)
    assert phase(rig) is Phase.HOST
    assert rig.differences() == {}


def test_what_nobody_waits_for_and_fails_is_told(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.prepare()
    silence(rig.host.guests, "scope", monkeypatch)
    rig.pass_time(70)
    assert "could not go on: no answer to scope in time" in rig.messages(Kind.STEP_FAILED)
    rig.pass_time(70)
    assert rig.differences() == {}


def test_what_somebody_waits_for_is_told_to_them_alone(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.prepare()
    silence(rig.host.guests, "scope", monkeypatch)
    assert isinstance(rig.return_devices(), TimedOut)
    assert rig.messages(Kind.STEP_FAILED) == []


def test_what_got_stuck_is_told_once(run_directory: Path) -> None:
    rig = Rig(pcs.desktop(), run_directory)
    pid = rig.start()
    spoil(rig, f"probe {pcs.VGA}", Fault.HANG)
    rig.host.user.kill(pid)
    rig.host.libvirt.clean_up()
    rig.watcher.look()
    rig.queue.run_all()
    assert isinstance(rig.prepare(), Stuck)
    (text,) = rig.messages(Kind.STUCK)
    assert not [told for told in rig.messages(Kind.STEP_FAILED) if text in told]
