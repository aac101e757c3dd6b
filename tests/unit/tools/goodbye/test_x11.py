"""Windows that are closed before an X11 desktop's session manager is asked to log out."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.unit.tools.goodbye.sessionbus import SessionBus
from vfiod.errors import HostError
from vfiod.host.goodbye import Answer, Outcome
from vfiod.tools.goodbye import farewell
from vfiod.tools.goodbye.surroundings import Surroundings
from vfiod.tools.goodbye.windowsfirst import WindowsFirst, windows_first
from vfiod.util import programs

VARIABLES = {"DISPLAY": ":0", "XAUTHORITY": "/home/alice/.Xauthority"}
AROUND = Surroundings(Path("/run/user/1000"), VARIABLES)
PANEL = "0x01400003 -1 xfce4-panel.Xfce4-panel  lab xfce4-panel"
EDITOR = "0x03200003  0 mousepad.Mousepad     lab *Untitled 1 - Mousepad"
PINNED = "0x03600003 -1 gedit.Gedit            lab *Untitled Document 1 - gedit"
SHEET = "0x03400003  1 soffice.LibreOffice 5  lab a"


class Manager:
    """A session manager that ends as soon as it is asked."""

    patience = 60.0

    def __init__(self) -> None:
        self.asked = self.withdrawn = 0

    def begin(self) -> None:
        self.asked += 1

    def look(self) -> bool:
        return bool(self.asked)

    def was_cancelled(self) -> bool:
        return False

    def has_failed(self) -> bool:
        return False

    def waits_for(self) -> Sequence[str]:
        return ["the session manager"]

    def withdraw(self) -> None:
        self.withdrawn += 1


class Names:
    """A bus on which somebody has one name."""

    def __init__(self, mark: str) -> None:
        self._mark = mark

    def call(self, *call: Any, seconds: float) -> Any:
        return [call[-1] == self._mark]


class Screen:
    """wmctrl, xprop, and what is on the screen; ``stubborn`` windows ask a person. ``types`` are
    those that windows say they are of; without one xprop fails.
    """

    def __init__(self, *lines: str, stubborn: Sequence[str] = ()) -> None:
        self.lines, self.stubborn = list(lines), stubborn
        self.types: dict[str, str] = {}
        self.looked_at: list[str] = []
        self.works = True
        self.environment: Any = None

    def finish(self, argv: Sequence[str], *, seconds: float, environment: Any) -> Any:
        self.environment = environment
        if not self.works:
            return subprocess.CompletedProcess(argv, 1, "", "Cannot open display.")
        if argv[0] == "xprop":
            return self._xprop(argv)
        if "-c" in argv and argv[-1] not in self.stubborn:
            self.lines = [line for line in self.lines if not line.startswith(argv[-1])]
        return subprocess.CompletedProcess(argv, 0, "\n".join(self.lines), "")

    def _xprop(self, argv: Sequence[str]) -> Any:
        _, option, handle, name = argv
        assert (option, name) == ("-id", "_NET_WM_WINDOW_TYPE")
        self.looked_at.append(handle)
        if handle not in self.types:
            return subprocess.CompletedProcess(argv, 1, "", "X Error: BadWindow")
        return subprocess.CompletedProcess(argv, 0, f"{name}{self.types[handle]}\n", "")


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    found = Screen(PANEL, EDITOR, SHEET)
    monkeypatch.setattr(programs, "finish", found.finish)
    monkeypatch.setattr(programs, "find", lambda name: f"/usr/bin/{name}")
    return found


def test_the_manager_is_asked_once_the_windows_have_closed(screen: Screen) -> None:
    manager = Manager()
    desktop = windows_first(manager, AROUND)
    assert farewell.log_out(desktop, lambda: False, seconds=20) == Answer(Outcome.DONE)
    assert (manager.asked, screen.lines) == (1, [PANEL])
    assert screen.environment == VARIABLES


def test_a_window_that_asks_keeps_the_manager_from_being_asked(screen: Screen) -> None:
    """The session's end would not wait for its answer."""
    screen.stubborn = ["0x03200003"]
    manager = Manager()
    answer = farewell.log_out(windows_first(manager, AROUND), lambda: False, seconds=1)
    assert answer == Answer(Outcome.UNANSWERED, ("Mousepad",))
    assert (manager.asked, manager.withdrawn) == (0, 1)


def test_where_windows_are_not_told_the_manager_is_asked_all_the_same(screen: Screen) -> None:
    screen.works = False
    manager = Manager()
    desktop = windows_first(manager, AROUND)
    desktop.begin()
    screen.works, screen.lines = True, []
    assert desktop.look()
    assert manager.asked == 1


@pytest.mark.parametrize("mark", ["org.kde.ksmserver", "org.xfce.SessionManager"])
def test_whoever_manages_an_x11_session_its_windows_come_first(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    """KWin closes those of Wayland's programs alone."""
    monkeypatch.setattr(farewell, "Bus", lambda *, of_session: Names(mark))
    assert isinstance(farewell.find(AROUND, seconds=60), WindowsFirst)
    wayland = Surroundings(Path("/run/user/1000"), {**VARIABLES, "WAYLAND_DISPLAY": "wayland-0"})
    assert not isinstance(farewell.find(wayland, seconds=60), WindowsFirst)


COSMIC, LXQT = "com.system76.CosmicSession", "org.lxqt.session"
WAYLAND = Surroundings(Path("/run/user/1000"), {**VARIABLES, "WAYLAND_DISPLAY": "wayland-0"})


@pytest.mark.parametrize(
    ("mark", "around", "is_asked"),
    [(COSMIC, WAYLAND, False), (LXQT, WAYLAND, False), (LXQT, AROUND, True),
     ("org.kde.ksmserver", WAYLAND, True)],
)  # fmt: skip
def test_who_logs_out_without_asking_any_program_is_nobody_to_ask(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, mark: str, around: Surroundings, *,
    is_asked: bool,
) -> None:  # fmt: skip
    """Where the desktop is ended all the same, it may still end by itself."""
    monkeypatch.setattr(farewell, "Bus", lambda *, of_session: Names(mark))
    assert farewell.find(around, seconds=60) is not None
    assert (farewell.find(around, seconds=60, must_ask=True) is not None) is is_asked


GNOME, SHELL = "org.gnome.SessionManager", "org.gnome.Shell"
UNCLOSED, DONE = Answer(Outcome.FAILED, ("wmctrl: Cannot open display.",)), Outcome.DONE


@pytest.mark.parametrize("mark", [LXQT, "org.kde.ksmserver", "org.xfce.SessionManager", GNOME])
def test_windows_that_cannot_be_closed_refuse_where_all_programs_have_to_be_asked(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    """MATE and Cinnamon have the name of GNOME's session manager, and not that of its shell."""
    monkeypatch.setattr(farewell, "Bus", lambda *, of_session: Names(mark))
    screen.works = False
    desktop = farewell.find(AROUND, seconds=60, must_ask=True)
    assert farewell.log_out(desktop, lambda: False, seconds=5) == UNCLOSED


def test_on_gnome_they_do_not_as_its_programs_object_beforehand(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = SessionBus(GNOME, SHELL)
    bus.answers = {"IsInhibited": [False], "Logout": []}
    monkeypatch.setattr(farewell, "Bus", lambda *, of_session: bus)
    screen.works = False
    desktop, is_asked = farewell.find(AROUND, seconds=5, must_ask=True), bus.called.__contains__
    assert farewell.log_out(desktop, lambda: is_asked("Logout 1"), seconds=5).outcome is DONE


@pytest.mark.parametrize("more", [{"WAYLAND_DISPLAY": "wayland-0"}, {"DISPLAY": ""}])
def test_on_wayland_the_windows_of_its_x_are_not_all(screen: Screen, more: dict[str, str]) -> None:
    variables = {name: value for name, value in {**VARIABLES, **more}.items() if value}
    manager = Manager()
    around = Surroundings(Path("/run/user/1000"), variables)
    assert windows_first(manager, around) is manager


def test_without_wmctrl_the_manager_alone_is_asked(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "find", lambda name: None)
    manager = Manager()
    assert windows_first(manager, AROUND) is manager


NORMAL, DOCK, KDE = (
    f"(ATOM) = {types}"
    for types in (
        "_NET_WM_WINDOW_TYPE_NORMAL",
        "_NET_WM_WINDOW_TYPE_DOCK",
        "_KDE_NET_WM_WINDOW_TYPE_OVERRIDE, _NET_WM_WINDOW_TYPE_NORMAL",
    )
)


@pytest.mark.parametrize(
    ("kind", "is_closed"),
    [
        (NORMAL, True), (KDE, True), (NORMAL.replace("NORMAL", "DIALOG"), True),
        (":  not found.", True), (NORMAL.replace("NORMAL", "DESKTOP"), False), (DOCK, False),
        (NORMAL.replace("NORMAL", "NOTIFICATION"), False), (None, False),
        (f"{DOCK}, _NET_WM_WINDOW_TYPE_NORMAL", False),
    ],
)  # fmt: skip
def test_a_window_on_all_workspaces_is_a_program_s_if_it_says_so(
    screen: Screen, kind: str | None, *, is_closed: bool
) -> None:
    screen.lines = [PANEL, PINNED]
    screen.types = {"0x01400003": DOCK} | ({"0x03600003": kind} if kind else {})
    manager = Manager()
    desktop = windows_first(manager, AROUND)
    assert farewell.log_out(desktop, lambda: False, seconds=20) == Answer(Outcome.DONE)
    assert screen.lines == ([PANEL] if is_closed else [PANEL, PINNED])
    assert len(screen.looked_at) == 2


def test_without_xprop_all_of_them_are_panels(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "find", lambda name: None if name == "xprop" else name)
    screen.lines, screen.types = [PANEL, PINNED], {"0x03600003": NORMAL}
    desktop = windows_first(Manager(), AROUND)
    assert farewell.log_out(desktop, lambda: False, seconds=20) == Answer(Outcome.DONE)
    assert (screen.lines, screen.looked_at) == ([PANEL, PINNED], [])


def test_a_manager_that_refuses_has_failed(screen: Screen) -> None:
    class Refusing(Manager):
        def begin(self) -> None:
            raise HostError("logout is locked down")

    desktop, screen.lines = windows_first(Refusing(), AROUND), []
    desktop.begin()
    assert not desktop.look()
