"""Reading and writing small attribute files of /sys and /proc."""

import os
from pathlib import Path

from vfiod.errors import HostError


def read(path: Path) -> str | None:
    """Contents without the final newline; None if absent or unreadable.

    A device may go away between listing and reading, so absence is never an error here.
    """
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


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


def write(path: Path, text: str) -> None:
    """Write an attribute in one call. Raises HostError with the kernel's reason.

    Only for attributes whose store returns soon; bind, unbind and probe go through
    vfiod.linux.kernelcall.
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)
    except OSError as error:
        raise HostError(
            f"the kernel refused {text.strip()!r} for {path}: {error.strerror}"
        ) from error
