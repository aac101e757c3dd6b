"""A person at a terminal of the emulated PC: types what was printed, as it was printed."""

from __future__ import annotations

import re

from tests.terminal import run_at_terminal

from .emulator.machine import Lab

# The image has none, and root needs none: a command is typed with it all the same.
_SUDO = "/usr/local/bin/sudo"
_COMMAND = re.compile(r"^ +((?:sudo )?(?:vfiod|virsh|virt-xml) .*?)\s*$", re.MULTILINE)


def sit_down(lab: Lab) -> None:
    """Have all there is to type anything in this lab."""
    lab.put('#!/bin/sh\nexec "$@"\n', _SUDO, 0o755)


def commands(said: str) -> list[str]:
    """The commands in an output, each on a line of its own."""
    return _COMMAND.findall(said)


def told(said: str, start: str) -> str:
    """The one command in an output that begins so."""
    found = [command for command in commands(said) if command.startswith(start)]
    assert len(found) == 1, f"{start}: {found} in {said}"
    return found[0]


def types(lab: Lab, command: str, *, answer: str = "", seconds: float = 240.0) -> tuple[int, str]:
    """Exit status and output of a command line at a terminal, whose question is answered."""
    lab.ssh.connect("root")
    argv = [*lab.ssh.command(), "-tt", command]
    return run_at_terminal(argv, answer=answer, seconds=seconds)
