"""The screen of a session that is nothing but a guest's start: a terminal, or X without a desktop.

A Wayland session begins on a virtual terminal, which GDM and SDDM hand it as standard input
(gdm-session-worker.c, sddm UserSession.cpp: "leak the VT into the session"), greetd as all three.
A session of X has the server, and a window only if a program for it is installed.
"""

import fcntl
import os
import select
import termios
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from vfiod.cli import dialog
from vfiod.cli.asking import plain
from vfiod.cli.terminal import say
from vfiod.errors import VfiodError

_PATIENCE = 120
_BACK = "Press Enter to go back to the login screen; by itself that takes two minutes."
_CLEAR = b"\x1b[2J\x1b[H"
# kernel: include/uapi/linux/kd.h. What was drawn on before may have left graphics mode on.
_KDSETMODE, _KD_TEXT = 0x4B3A, 0x00


class Stage(Protocol):
    """Where a person looks meanwhile."""

    def show(self, text: str) -> None:
        """Show what is going on."""

    def halt(self, text: str) -> bool:
        """Show what went wrong until they have read it, or a time is over; False if nobody did."""

    def close(self) -> None:
        """Show nothing any more."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal, by its open file."""

    file: int

    @classmethod
    def take(cls, file: int) -> "Terminal":
        """Have all that is printed from now on appear there."""
        with suppress(OSError):
            fcntl.ioctl(file, _KDSETMODE, _KD_TEXT)
        for stream in (1, 2):
            if stream != file:
                os.dup2(file, stream)
        os.write(file, _CLEAR)
        return cls(file)

    def show(self, text: str) -> None:
        say(text)

    def halt(self, text: str) -> bool:
        with suppress(termios.error):
            termios.tcflush(self.file, termios.TCIFLUSH)  # what was typed before is no answer
        say(f"\n{text}\n\n{_BACK}")
        ready, _, _ = select.select([self.file], [], [], _PATIENCE)
        return bool(ready)

    def close(self) -> None:
        """What was printed stays until somebody else has the terminal."""


@dataclass(slots=True)
class Windows:
    """X or Wayland with a program that shows windows."""

    program: dialog.Window
    _end: Callable[[], None] = field(default=lambda: None)

    def show(self, text: str) -> None:
        self._end = self.program.show(plain(text))

    def halt(self, text: str) -> bool:
        self.close()
        with suppress(VfiodError):
            self.program.tell(plain(text), seconds=_PATIENCE)
            return True
        return False

    def close(self) -> None:
        self._end()


class Nowhere:
    """A screen on which nothing here can show anything."""

    def show(self, text: str) -> None:
        say(text)

    def halt(self, text: str) -> bool:
        return False

    def close(self) -> None:
        """There is nothing."""


def find() -> Stage:
    """What this session has."""
    if (program := dialog.find_teller()) is not None:
        return Windows(program)
    for file in (1, 0, 2):
        if os.isatty(file) and _is_writable(file):
            return Terminal.take(file)
    return Nowhere()


def _is_writable(file: int) -> bool:
    return fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
