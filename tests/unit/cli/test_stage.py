"""The screen of a session that only starts a guest: what a person sees and presses there."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vfiod.cli import stage

SECONDS = 20.0
# What the display manager begins, with a terminal as its input alone or as everything.
SESSION = """
import sys
from vfiod.cli import stage
here = stage.find()
here.show("win10 gets the screen")
print("said by a part that knows of no stage", flush=True)
sys.exit(0 if here.halt("win10 was not started: no memory") else 9)
"""


class Screen:
    """A virtual terminal, and the session on it."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        self.text = ""

    def begin(self, *, everything: bool) -> "subprocess.Popen[bytes]":
        out = self.slave if everything else subprocess.DEVNULL
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd()), "TERM": "linux"}
        return subprocess.Popen(
            [sys.executable, "-c", SESSION], stdin=self.slave, stdout=out, stderr=out,
            env=environment,
        )  # fmt: skip

    def wait_for(self, words: str) -> None:
        deadline = time.monotonic() + SECONDS
        while words not in self.text:
            ready, _, _ = select.select([self.master], [], [], deadline - time.monotonic())
            assert ready, self.text
            self.text += os.read(self.master, 4096).decode()


@pytest.fixture
def screen() -> Iterator[Screen]:
    found = Screen()
    yield found
    os.close(found.master)
    os.close(found.slave)


@pytest.mark.parametrize("everything", [False, True])
def test_a_terminal_shows_all_until_somebody_presses_enter(
    screen: Screen, *, everything: bool
) -> None:
    child = screen.begin(everything=everything)
    screen.wait_for("Press Enter to go back")
    for words in ("win10 gets the screen", "knows of no stage", "was not started: no memory"):
        assert words in screen.text
    assert child.poll() is None
    os.write(screen.master, b"\n")
    assert child.wait(SECONDS) == 0


def test_nobody_has_to_press_anything(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "_PATIENCE", 0)
    assert not stage.Terminal(screen.slave).halt("win10 was not started")


def test_a_file_that_can_only_be_read_is_no_screen(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    only_read = os.open(os.ttyname(screen.slave), os.O_RDONLY | os.O_NOCTTY)
    try:
        assert not stage._is_writable(only_read)
        assert stage._is_writable(screen.slave)
    finally:
        os.close(only_read)


def test_a_window_goes_when_the_next_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "zenity"
    program.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/said\n[ "$1" = --error ] || sleep 60\n')
    program.chmod(0o755)
    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    here = stage.find()
    assert isinstance(here, stage.Windows)
    here.show("win10 gets the screen")
    assert here.halt("win10 was not started")
    here.close()
    assert (tmp_path / "said").read_text().split()[-1] == "--error"


def test_where_nothing_shows_it_is_left_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not stage.Nowhere().halt("win10 was not started")
