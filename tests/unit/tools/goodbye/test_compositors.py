"""Compositors that are spoken to by programs, which a table stands in for here."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from vfiod.errors import HostError
from vfiod.host.goodbye import Answer, Outcome
from vfiod.tools.goodbye import compositors, farewell, surroundings
from vfiod.tools.goodbye.compositors import Hyprland, Wlroots
from vfiod.tools.goodbye.surroundings import Surroundings
from vfiod.tools.goodbye.windows import Window, Windows
from vfiod.util import programs

RUN = Path("/run/user/1000")
HYPRLAND = Surroundings(RUN, {"HYPRLAND_INSTANCE_SIGNATURE": "abc_1"}, "Hyprland", 77)
CLIENTS = '[{"address": "0x5f", "class": "firefox"}, {"address": "0x60", "class": ""}]'


class Table:
    """What each command prints; whatever is not in it fails. ``status`` is what some end with."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers, self.run = answers, list[str]()
        self.status: dict[str, int] = {}
        self.environment: Any = None

    def finish(self, argv: Sequence[str], *, seconds: float, environment: Any) -> Any:
        line = " ".join(argv)
        self.run.append(line)
        self.environment = environment
        known = line in self.answers
        status = self.status.get(line, 0 if known else 1)
        words = "" if known else "no such thing"
        return subprocess.CompletedProcess(argv, status, self.answers.get(line, ""), words)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    found = Table({})
    monkeypatch.setattr(programs, "finish", found.finish)
    return found


@pytest.fixture
def labwc() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that ends at SIGTERM, as labwc does."""
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    yield child
    child.kill()
    child.wait()


def test_hyprland_lists_its_windows_and_closes_one(table: Table) -> None:
    ask = "hyprctl --instance abc_1"
    table.answers = {f"{ask} -j clients": CLIENTS, f"{ask} dispatch closewindow address:0x5f": "ok",
                     f"{ask} dispatch exit": "ok"}  # fmt: skip
    hyprland = Hyprland(HYPRLAND)
    first, second = hyprland.windows()
    assert (first, second) == (Window("0x5f", "firefox"), Window("0x60", "a window"))
    hyprland.close(first)
    hyprland.end()
    assert table.run[-2:] == [f"{ask} dispatch closewindow address:0x5f", f"{ask} dispatch exit"]


@pytest.mark.parametrize("status", [0, 7])
def test_a_newer_hyprland_is_told_in_its_own_words(table: Table, status: int) -> None:
    ask = "hyprctl --instance abc_1 dispatch"
    close = f'{ask} hl.dsp.window.close({{window="address:0x5f"}})'
    old = (f"{ask} closewindow address:0x5f", f"{ask} exit")
    table.answers = {line: "error: syntax" for line in old}
    table.status = dict.fromkeys(old, status)
    table.answers |= {close: "ok", f"{ask} hl.dsp.exit()": "ok"}
    Hyprland(HYPRLAND).close(Window("0x5f", "firefox"))
    Hyprland(HYPRLAND).end()
    assert table.run == [old[0], close, old[1], f"{ask} hl.dsp.exit()"]


def test_a_hyprland_that_takes_neither_has_not_been_told(table: Table) -> None:
    with pytest.raises(HostError, match="no such thing"):
        Hyprland(HYPRLAND).end()


@pytest.mark.parametrize("said", ["", "[", "7", "[1, {}]"])
def test_no_list_of_windows_is_an_error_or_an_empty_one(table: Table, said: str) -> None:
    table.answers = {"hyprctl --instance abc_1 -j clients": said}
    if said == "[1, {}]":
        assert list(Hyprland(HYPRLAND).windows()) == []
    else:
        with pytest.raises(HostError):
            Hyprland(HYPRLAND).windows()


def test_labwc_ends_once_its_windows_are_closed(
    table: Table, labwc: "subprocess.Popen[bytes]"
) -> None:
    close = "wlrctl toplevel close app_id:foot title:~: vim notes"
    around = Surroundings(RUN, {"WAYLAND_DISPLAY": "wayland-1"}, "labwc", labwc.pid)
    table.answers = {"wlrctl toplevel list": "foot: ~: vim notes\n", close: ""}
    desktop = Windows(Wlroots(around), surroundings.watch(labwc.pid))
    desktop.begin()
    assert not desktop.look()
    assert desktop.waits_for() == ["foot"]
    assert close in table.run
    assert table.environment == {"XDG_RUNTIME_DIR": str(RUN), "WAYLAND_DISPLAY": "wayland-1"}
    table.answers |= {"wlrctl toplevel list": "", "wlrctl toplevel find": ""}
    table.status["wlrctl toplevel find"] = 1
    assert farewell.log_out(desktop, lambda: False, seconds=20) == Answer(Outcome.DONE)
    assert labwc.wait(10) == -signal.SIGTERM


def test_a_window_whose_title_cannot_be_read_is_closed_by_its_program(table: Table) -> None:
    close = "wlrctl toplevel close app_id:mpv"
    table.answers = {close: ""}
    Wlroots(Surroundings(RUN, {}, "labwc", 77)).close(Window("M\ufffdller.mkv", "mpv"))
    assert table.run == [close]


def test_a_window_of_an_empty_program_is_closed_by_its_title(table: Table) -> None:
    close = "wlrctl toplevel close title:notes: 1"
    table.answers = {"wlrctl toplevel list": ": notes: 1\n", close: ""}
    screen = Wlroots(Surroundings(RUN, {}, "labwc", os.getpid()))
    (window,) = screen.windows()
    assert window.program == "a window"
    screen.close(window)
    assert table.run[-1] == close


@pytest.mark.parametrize("program", ["a window", "a window without a name"])
def test_nothing_to_match_closes_nothing(table: Table, program: str) -> None:
    """wlrctl would close all windows, what has been opened since too."""
    with pytest.raises(HostError):
        Wlroots(Surroundings(RUN, {}, "labwc", 77)).close(Window("M\ufffdller", program))
    assert table.run == []


def test_a_window_that_is_not_listed_keeps_the_desktop(
    table: Table, labwc: "subprocess.Popen[bytes]"
) -> None:
    """It has told no program; a person does not lose what is in it."""
    table.answers = {"wlrctl toplevel list": "", "wlrctl toplevel find": ""}
    desktop = Windows(Wlroots(Surroundings(RUN, {}, "labwc", labwc.pid)), lambda: False)
    answer = farewell.log_out(desktop, lambda: False, seconds=1)
    assert answer == Answer(Outcome.UNANSWERED, ("a window without a name",))
    assert labwc.poll() is None


def test_a_compositor_that_cannot_be_asked_for_it_is_not_ended(
    table: Table, labwc: "subprocess.Popen[bytes]"
) -> None:
    table.answers = {"wlrctl toplevel list": ""}
    desktop = Windows(Wlroots(Surroundings(RUN, {}, "labwc", labwc.pid)), lambda: False)
    answer = farewell.log_out(desktop, lambda: False, seconds=1)
    assert answer == Answer(Outcome.FAILED, ("wlrctl: no such thing",))
    assert labwc.poll() is None


def test_a_process_that_has_ended_is_gone_and_its_number_is_nobody_else_s() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    is_gone = surroundings.watch(child.pid)
    child.wait()
    assert is_gone()
    assert surroundings.watch(child.pid)()
    assert not surroundings.watch(os.getpid())()


WLRCTL = "/usr/bin/wlrctl"


@pytest.mark.parametrize(
    ("compositor", "wlrctl", "found"),
    [
        ("", WLRCTL, "NoneType"), ("sway", None, "Sway"), ("i3", None, "Sway"),
        ("Hyprland", None, "Hyprland"), ("labwc", WLRCTL, "Wlroots"), ("labwc", None, "NoneType"),
    ],
)  # fmt: skip
def test_how_each_is_spoken_to(
    compositor: str, wlrctl: str | None, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "find", lambda _: wlrctl)
    around = Surroundings(RUN, HYPRLAND.variables, compositor, 77)
    assert type(compositors.of(around)).__name__ == found


def test_nobody_to_ask_is_an_answer() -> None:
    assert farewell.log_out(None, lambda: False, seconds=60) == Answer(Outcome.NOBODY)
