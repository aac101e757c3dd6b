"""Session managers on Wayland that run beside any compositor, and ask no program there."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.unit.tools.goodbye.sessionbus import SessionBus
from vfiod.host.goodbye import Answer, Outcome
from vfiod.tools.goodbye import compositors, farewell
from vfiod.tools.goodbye.surroundings import Surroundings
from vfiod.util import programs

WAYLAND = {"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}
LABWC = Surroundings(Path("/run/user/1000"), WAYLAND, "labwc", 77)
XFCE, LXQT = "org.xfce.SessionManager", "org.lxqt.session"
BOTH = pytest.mark.parametrize(("mark", "call"), [(XFCE, "Logout False True"), (LXQT, "logout")])


class Screen:
    """wlrctl, and what is on the screen; ``asks``: the window's program asks a person."""

    def __init__(self) -> None:
        self.left, self.installed = ["foot: notes"], True
        self.asks, self.works = False, True

    def find(self, name: str) -> str | None:
        return f"/usr/bin/{name}" if self.installed else None

    def finish(self, argv: Sequence[str], *, seconds: float, environment: Any) -> Any:
        if argv[2] == "close" and not self.asks:
            self.left = []
        rc = 0 if self.works and (self.left or argv[2] != "find") else 1
        return subprocess.CompletedProcess(argv, rc, "\n".join(self.left) if not rc else "", "")


@pytest.fixture
def bus() -> SessionBus:
    found = SessionBus()
    found.answers = {"Logout": [], "logout": []}
    return found


@pytest.fixture
def screen(bus: SessionBus, monkeypatch: pytest.MonkeyPatch) -> Screen:
    found = Screen()
    monkeypatch.setattr(programs, "find", found.find)
    monkeypatch.setattr(programs, "finish", found.finish)
    monkeypatch.setattr(compositors, "send", lambda pid, number: None)
    monkeypatch.setattr(farewell, "Bus", lambda *, of_session: bus)
    return found


def ask(bus: SessionBus, call: str, *, must_ask: bool = True) -> Answer:
    """Whoever is called ends the session."""
    desktop = farewell.find(LABWC, seconds=5, must_ask=must_ask)
    return farewell.log_out(desktop, lambda: call in bus.called, seconds=2)


@BOTH
def test_its_windows_are_closed_first(
    screen: Screen, bus: SessionBus, mark: str, call: str
) -> None:
    bus.names = {mark}
    assert ask(bus, call) == Answer(Outcome.DONE)
    assert (screen.left, bus.called) == ([], [call])


@BOTH
@pytest.mark.parametrize("must_ask", [True, False])
def test_a_window_that_asks_keeps_the_session(
    screen: Screen, bus: SessionBus, mark: str, call: str, *, must_ask: bool
) -> None:
    bus.names, screen.asks = {mark}, True
    assert ask(bus, call, must_ask=must_ask) == Answer(Outcome.UNANSWERED, ("foot",))
    assert call not in bus.called


@BOTH
def test_without_wlrctl_it_is_nobody_who_asks(
    screen: Screen, bus: SessionBus, mark: str, call: str
) -> None:
    """Where the desktop is ended all the same, it may still end by itself."""
    bus.names, screen.installed = {mark}, False
    assert ask(bus, call) == Answer(Outcome.NOBODY)
    assert call not in bus.called
    assert ask(bus, call, must_ask=False) == Answer(Outcome.DONE)


@BOTH
def test_windows_that_cannot_be_listed_refuse(
    screen: Screen, bus: SessionBus, mark: str, call: str
) -> None:
    bus.names, screen.works = {mark}, False
    assert ask(bus, call).outcome is Outcome.FAILED
    assert call not in bus.called
    assert ask(bus, call, must_ask=False) == Answer(Outcome.DONE)


def test_plasma_closes_its_own(screen: Screen, bus: SessionBus) -> None:
    bus.names = {"org.kde.ksmserver"}
    assert ask(bus, "logout") == Answer(Outcome.DONE)
    assert screen.left == ["foot: notes"]
