"""Text for a terminal of some width: lines that go on below their own beginning. Pure."""

import re
import textwrap
from typing import Any

NARROWEST = 20
# Indentation, and what an item begins with: a number, a mark, a word with a column of its own.
_BEGINNING = re.compile(r" *(?:\d+\. +|[-!] +|\S+ {2,})?")
VERBS = (
    *("status", "doctor", "groups", "setup", "init", "create", "tune", "rom", "plan", "rehearse"),
    *("try", "keep", "return", "log", "check-config", "uninstall-check", "daemon"),
    *("start", "shutdown", "guests", "libvirt", "session", "goodbye", "reopen"),
)
_PROGRAMS = (
    rf"sudo|sudoedit|vfiod (?:{'|'.join(VERBS)})|virsh|virt-viewer|virt-xml|journalctl|systemctl"
    "|modprobe"
)
# Alone on a line, or at its end as in "run: sudo vfiod return"; not within a sentence.
_COMMAND = re.compile(rf"(?:(.*:) )?((?:{_PROGRAMS})\b(?:(?![.;,] ).)*)")
_KEEP: Any = {"break_long_words": False, "break_on_hyphens": False}


def wrap(text: str, width: int | None) -> list[str]:
    """Break lines that are longer than ``width`` columns at blanks; None: at none.

    A command stays whole: broken in two it could not be copied.
    """
    return [part for line in text.split("\n") for part in _wrap_line(line, width)]


def hang(first: str, text: str, width: int | None, *, whole: bool = False) -> list[str]:
    """Text beside ``first``, the beginning of its first line; it goes on as far to the right.

    ``whole``: it is not broken.
    """
    if width is None or whole:
        return [first + text]
    lines = _break(text, max(width - len(first), NARROWEST))
    return [first + lines[0], *(" " * len(first) + line for line in lines[1:])]


def _break(text: str, space: int) -> list[str]:
    command = _COMMAND.fullmatch(text)
    if command is None or len(text) <= space:
        return textwrap.wrap(text, space, **_KEEP) or [""]
    before = textwrap.wrap(command[1] or "", space, **_KEEP)
    if before and len(before[-1]) + 1 + len(command[2]) <= space:
        return [*before[:-1], f"{before[-1]} {command[2]}"]
    return [*before, command[2]]


def beginning(line: str) -> str:
    """What the rest of a line stands beside: its indentation, and the mark or number of an item."""
    found = _BEGINNING.match(line)
    return found[0] if found else ""


def _wrap_line(line: str, width: int | None) -> list[str]:
    if width is None or len(line) <= width:
        return [line]
    first = beginning(line)
    return hang(first, line[len(first) :], width)
