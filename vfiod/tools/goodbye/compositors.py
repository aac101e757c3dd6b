"""Compositors that are spoken to by a program of their own, or by one for several."""

import json
import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any

from vfiod.errors import HostError, TimedOut
from vfiod.tools.goodbye.surroundings import Surroundings
from vfiod.tools.goodbye.sway import Sway, socket_of
from vfiod.tools.goodbye.windows import Compositor, Window
from vfiod.util import programs

_SECONDS = 5.0
_UNREADABLE = "\ufffd"  # stands for what is not UTF-8
# What a person is told of a window whose program is empty, and of one that has never told it.
_UNTOLD, _NAMELESS = "a window", "a window without a name"


class Hyprland:
    """hyprctl(1). With a configuration in Lua, which 0.55 has brought, its dispatchers are written
    in Lua too (wiki.hypr.land, Dispatchers), and others end it with status 7.
    """

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def windows(self) -> Sequence[Window]:
        rows = _rows(self._run("-j", "clients"))
        return [Window(str(row["address"]), str(row.get("class") or "a window")) for row in rows]

    def close(self, window: Window) -> None:
        address = f"address:{window.handle}"
        self._dispatch(["closewindow", address], f'hl.dsp.window.close({{window="{address}"}})')

    def end(self) -> None:
        self._dispatch(["exit"], "hl.dsp.exit()")

    def _dispatch(self, words: Sequence[str], lua: str) -> None:
        if not self._takes(words):
            self._run("dispatch", lua)

    def _takes(self, words: Sequence[str]) -> bool:
        """Earlier ones print their error and end well, later ones do not: both are a no."""
        try:
            return self._run("dispatch", *words).strip() == "ok"
        except TimedOut:
            raise
        except HostError:
            return False

    def _run(self, *words: str) -> str:
        return _run(["hyprctl", "--instance", self._around.hyprland, *words], self._around)


class Wlroots:
    """Others that list their windows to wlrctl(1), and end at SIGTERM: labwc, wayfire, river."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def windows(self) -> Sequence[Window]:
        """Each line is PROGRAM: TITLE; who has no program is known by the title.

        One that has never told its program is in no list (wlrctl, toplevel.c), but is found.
        """
        send(self._around.pid, 0)
        lines = _run(["wlrctl", "toplevel", "list"], self._around).splitlines()
        rows = [line.partition(": ") for line in lines if line]
        listed = [Window(title, program or _UNTOLD) for program, _, title in rows]
        return listed or ([Window("", _NAMELESS)] if self._finds_any() else [])

    def close(self, window: Window) -> None:
        """One whose title came in pieces is not found by it: then all windows of its program.

        Without a word to match wlrctl would close every window there is.
        """
        program = [f"app_id:{window.program}"] if window.program != _UNTOLD else []
        title = [f"title:{window.handle}"] if _UNREADABLE not in window.handle else []
        if window.program == _NAMELESS or not (program or title):
            raise HostError(f"{window.program} has nothing that wlrctl could match")
        _run(["wlrctl", "toplevel", "close", *program, *title], self._around)

    def _finds_any(self) -> bool:
        """Whether there is any window at all: it fails without a word where there is none."""
        done = _finish(["wlrctl", "toplevel", "find"], self._around)
        if done.returncode not in (0, 1) or done.stderr.strip():
            raise _failed("wlrctl", done)
        return done.returncode == 0

    def end(self) -> None:
        send(self._around.pid, signal.SIGTERM)


def of(around: Surroundings) -> Compositor | None:
    """How the compositor that runs is spoken to; None if there is none, or no way to."""
    if around.compositor in ("sway", "i3"):
        return Sway(socket_of(around))
    if around.compositor == "Hyprland" and around.hyprland:
        return Hyprland(around)
    return Wlroots(around) if around.compositor and programs.find("wlrctl") else None


def send(pid: int, number: int) -> None:
    """Signal a process of this user's. Raises HostError if it is gone."""
    try:
        os.kill(pid, number)
    except OSError as error:
        raise HostError(f"process {pid}: {error.strerror}") from error


def _run(argv: Sequence[str], around: Surroundings) -> str:
    done = _finish(argv, around)
    if done.returncode:
        raise _failed(argv[0], done)
    return done.stdout


def _finish(argv: Sequence[str], around: Surroundings) -> programs.Done:
    environment = {"XDG_RUNTIME_DIR": str(around.runtime), "WAYLAND_DISPLAY": around.display}
    return programs.finish(argv, seconds=_SECONDS, environment=environment)


def _failed(program: str, done: programs.Done) -> HostError:
    return HostError(f"{program}: {done.stderr.strip() or f'status {done.returncode}'}")


def _rows(text: str) -> Sequence[Mapping[str, Any]]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise HostError(f"not a list of windows: {text[:40]!r}")
    return [row for row in found if isinstance(row, dict) and "address" in row]
