"""Reading small files of /sys and /proc that never make the reader wait."""

import os
from pathlib import Path


def read(path: Path) -> str | None:
    """Contents without the final newline; None if absent or unreadable.

    A device may go away between listing and reading, so absence is never an error here.
    """
    try:
        # Without a text layer: a decision reads some hundred of them.
        with open(path, "rb", buffering=0) as file:
            return file.read().decode(errors="replace").strip()
    except OSError:
        return None


def lines(path: Path) -> list[str]:
    """The lines of a file; none if it is absent or unreadable."""
    return parts(read(path) or "")


def parts(text: str) -> list[str]:
    """Its lines as the kernel means them: nothing but a newline ends one.

    str.splitlines() sees an end in some ten other characters as well. Where somebody else chose a
    name in it, as of a mount point or of a control group, those may be part of the name.
    """
    return text.removesuffix("\n").split("\n") if text else []


def read_link(path: Path) -> str | None:
    """Last component of a symbolic link's target (a driver's or a group's name), or None."""
    try:
        return path.readlink().name
    except OSError:
        return None


def names(path: Path) -> list[str]:
    """Sorted entries of a directory; empty if it is absent."""
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []


def printable(text: str) -> str:
    """A name that somebody else chose, fit for a terminal: whatever could steer it becomes a ?."""
    return "".join(c if c.isprintable() else "?" for c in text)
