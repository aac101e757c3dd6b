"""Plasma's logout, and how it is taken back before KWin no longer asks."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.tools.goodbye.sessionbus import SessionBus
from vfiod.errors import HostError
from vfiod.host.goodbye import Answer, Outcome
from vfiod.tools.goodbye import farewell
from vfiod.tools.goodbye.plasma import KIND, Plasma

NAMES = ("org.kde.ksmserver", "org.kde.plasmashell", "org.kde.Shutdown")
TAKEN_BACK = ["GetConnectionUnixProcessID org.kde.Shutdown", "resetLogout"]


@pytest.fixture
def bus() -> SessionBus:
    """One on which a logout is asked for, and windows stay open."""
    found = SessionBus(*NAMES)
    found.answers = {"Get": ["active"], "logout": ()}
    return found


@pytest.fixture
def helper() -> Iterator["subprocess.Popen[bytes]"]:
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    yield child
    child.kill()
    child.wait()


def test_a_logout_that_is_not_done_in_time_is_taken_back(
    bus: SessionBus, helper: "subprocess.Popen[bytes]"
) -> None:
    """KWin closes what is still open two minutes after it was asked."""
    bus.answers |= {"GetConnectionUnixProcessID": [helper.pid], "resetLogout": ()}
    answer = farewell.log_out(Plasma(bus, KIND, seconds=1), lambda: False, seconds=1)
    assert answer == Answer(Outcome.UNANSWERED)
    assert helper.wait(10) == -signal.SIGTERM
    assert bus.called[-2:] == TAKEN_BACK


def test_one_that_cannot_be_taken_back_is_told_all_the_same(bus: SessionBus) -> None:
    answer = farewell.log_out(Plasma(bus, KIND, seconds=1), lambda: False, seconds=1)
    assert answer == Answer(Outcome.UNANSWERED)
    assert bus.called[-2:] == TAKEN_BACK


def test_one_that_is_done_is_not_taken_back(bus: SessionBus) -> None:
    bus.names.clear()
    answer = farewell.log_out(Plasma(bus, KIND, seconds=1), lambda: False, seconds=1)
    assert answer == Answer(Outcome.DONE)
    assert not set(TAKEN_BACK) & set(bus.called)


def test_one_that_was_never_asked_for_is_not_taken_back(bus: SessionBus) -> None:
    Plasma(bus, KIND, seconds=1).withdraw()
    assert bus.called == []


def test_it_is_not_waited_for_as_long_as_kwin_waits(bus: SessionBus) -> None:
    now = [1000.0]
    desktop = Plasma(bus, KIND, seconds=180, clock=lambda: now[0])
    assert desktop.patience < 120
    desktop.begin()
    assert desktop.waits_for() == []
    now[0] += desktop.patience
    assert desktop.waits_for() == ["KWin would have ended all 120 s after it was asked"]


class Impatient(Plasma):
    patience = 0.5


def test_nobody_is_waited_for_longer_than_there_is_patience(bus: SessionBus) -> None:
    began = time.monotonic()
    answer = farewell.log_out(Impatient(bus, KIND, seconds=25), lambda: False, seconds=25)
    assert answer.outcome is Outcome.UNANSWERED
    assert time.monotonic() - began < 20


class Going(SessionBus):
    """A bus that goes with its session after the first look at who is there."""

    def call(self, *call: Any, seconds: float = 1) -> Any:
        answer = super().call(*call, seconds=seconds)
        if call[-1] == "org.kde.ksmserver":
            self.answers["NameHasOwner"] = HostError("the connection is closed")
        return answer


def test_a_bus_that_goes_between_two_looks_has_gone_with_the_session(bus: SessionBus) -> None:
    going = Going(*NAMES)
    going.answers = bus.answers
    answer = farewell.log_out(Plasma(going, KIND, seconds=20), lambda: False, seconds=20)
    assert answer == Answer(Outcome.DONE)
