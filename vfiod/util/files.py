"""Writing a file so that nobody ever finds half of it."""

import glob
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from vfiod.errors import HostError


def replace_file(path: Path, data: bytes, *, mode: int, beside: Path | None = None) -> None:
    """Write a file so that a reader, or a crash, finds the old or the new one, never a part.

    ``beside``: the folder in which it is written, of the same file system; its own if not given.
    Raises OSError.
    """
    handle, temporary = tempfile.mkstemp(dir=beside or path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def remove_file(path: Path) -> None:
    """Remove a file, if it is there, and what a replace_file() that was killed has left of it."""
    path.unlink(missing_ok=True)
    remove_unfinished(path)


def remove_unfinished(path: Path, beside: Path | None = None) -> None:
    """Remove what a replace_file() that was killed has left of a file, and not the file."""
    for left in (beside or path.parent).glob(f".{glob.escape(path.name)}.*"):
        left.unlink(missing_ok=True)


@contextmanager
def new_file(path: Path, *, mode: int) -> Iterator[BinaryIO]:
    """A file that was not there before, and is not there after if the block fails.

    Raises FileExistsError rather than write over anything.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def read_regular(path: Path, limit: int) -> tuple[bytes, os.stat_result]:
    """Read a bounded regular file through one descriptor: what is checked is what is read.

    Raises HostError, also if it is larger.
    """
    data, status = read_beginning(path, limit + 1)
    if len(data) > limit:
        raise HostError(f"{path} is larger than {limit // 2**10} KiB")
    return data, status


def read_beginning(path: Path, size: int) -> tuple[bytes, os.stat_result]:
    """The first bytes of a regular file, which nothing makes wait. Raises HostError."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        raise HostError(f"cannot read {path}: {error.strerror}") from error
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise HostError(f"{path} is not a regular file")
        with os.fdopen(fd, "rb", closefd=False) as file:
            return file.read(size), status
    except OSError as error:
        raise HostError(f"cannot read {path}: {error.strerror}") from error
    finally:
        os.close(fd)
