"""Text for a terminal of some width: lines that go on below their own beginning. Pure."""

import re
import textwrap
from typing import Any

NARROWEST = 20
_BEGINNING = re.compile(r" *(?:\d+\. +|[-!] +)?")
_PROGRAMS = "sudo|sudoedit|vfiod|virsh|virt-viewer|virt-xml|journalctl|systemctl|modprobe"
# Alone on a line, or behind a few words and a colon as in "run: sudo vfiod return".
_COMMAND = re.compile(rf"(?:[A-Za-z' ]+: )?(?:{_PROGRAMS}) ")
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
    space = max(width - len(first), NARROWEST)
    lines = textwrap.wrap(text, space, **_KEEP) or [""]
    return [first + lines[0], *(" " * len(first) + line for line in lines[1:])]


def beginning(line: str) -> str:
    """What the rest of a line stands beside: its indentation, and the mark or number of an item."""
    found = _BEGINNING.match(line)
    return found[0] if found else ""


def _wrap_line(line: str, width: int | None) -> list[str]:
    if width is None or len(line) <= width:
        return [line]
    first = beginning(line)
    text = line[len(first) :]
    return hang(first, text, width, whole=_COMMAND.match(text) is not None)
