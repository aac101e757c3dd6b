"""Putting a file in place and taking it away, so that a kill at any moment leaves old or new.

The temporary file has a fixed name: what a kill left of it is found again and removed. No two
runs meet here, as each holds the lock of vfiod.tools.setup.manifest.
"""

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Status:
    """What belongs to a file beside its contents: permission bits, owner, extended attributes.

    ``owner`` is user and group, or None for whoever writes. SELinux's label and access control
    lists are extended attributes (xattr(7)); their values are in hexadecimal.
    """

    mode: int = 0o644
    owner: tuple[int, int] | None = None
    attributes: tuple[tuple[str, str], ...] = ()


def read(path: Path) -> bytes | None:
    """Contents; None if there is no such file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def status(path: Path) -> Status:
    """Raises FileNotFoundError."""
    found = path.stat()
    attributes = []
    with suppress(OSError):
        attributes = [(name, os.getxattr(path, name).hex()) for name in os.listxattr(path)]
    owner = (found.st_uid, found.st_gid)
    return Status(stat.S_IMODE(found.st_mode), owner, tuple(attributes))


def put(path: Path, data: bytes, wanted: Status) -> None:
    """Let ``path`` hold ``data``; what a reader or a crash finds is never a part of it."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    temporary = temporary_of(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    temporary.unlink(missing_ok=True)
    fd = os.open(temporary, flags, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        if wanted.owner:
            os.fchown(fd, *wanted.owner)
        os.fchmod(fd, wanted.mode)
        for name, value in wanted.attributes:
            with suppress(OSError):  # a file system that has none
                os.setxattr(fd, name, bytes.fromhex(value))
        os.fsync(fd)
    temporary.replace(path)
    sync_directory(path.parent)


def remove(path: Path) -> None:
    """Let there be no such file."""
    path.unlink(missing_ok=True)
    sync_directory(path.parent)


def remove_empty(directories: Sequence[Path]) -> None:
    """Remove directories that are empty; the others stay."""
    for directory in directories:
        with suppress(OSError):
            directory.rmdir()


def temporary_of(path: Path) -> Path:
    """Where ``put`` writes before the file appears."""
    return path.with_name(f".{path.name}.vfiod-setup")


def sync_directory(path: Path) -> None:
    """Have the names in a directory on the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
