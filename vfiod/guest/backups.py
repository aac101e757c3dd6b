"""Copies of what vfiod is about to change, one file each, kept for ever below one directory.

A guest's name is whatever somebody typed into libvirt: it becomes part of a file's name only in
a form without separators.
"""

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from vfiod.errors import HostError
from vfiod.paths import BACKUPS

_MODE = 0o600  # a definition may hold the password of its screen
_LONGEST = 120  # bytes of a name; all of a file's name may have 255
_BETWEEN = "+"  # quote() leaves none in a name
_TAKEN_BACK = ".reverted"
_HIGHEST = 1000


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy: ``what`` was about to change it, ``path`` is where it is."""

    path: Path
    what: str

    @property
    def text(self) -> str:
        """What was there before. Raises HostError if the file cannot be read."""
        try:
            return self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise HostError(f"cannot read the backup {self.path}: {error}") from error


class Backups:
    """The backups of one directory, which is made when it is first needed."""

    def __init__(self, directory: Path = BACKUPS) -> None:
        self._directory = directory

    def keep(self, name: str, text: str, *, what: str, kind: str = "xml") -> Backup:
        """Write a copy and make sure it is on the disk.

        Arguments: ``name`` of the guest or file; ``what`` is about to change it (a verb of
        vfiod); ``kind`` is the end of the file's name. Raises HostError.
        """
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._write(f"{encode(name)}{_BETWEEN}{_now()}", f"{what}.{kind}", text)
        except OSError as error:
            where = self._directory
            raise HostError(
                f"cannot keep a backup in {where}: {error.strerror}; nothing was changed"
            ) from error
        return Backup(path, what)

    def newest(self, name: str, *, what: str, kind: str = "xml") -> Backup | None:
        """The last copy made before ``what`` changed something, unless it was taken back."""
        found = self._directory.glob(f"{encode(name)}{_BETWEEN}*.{what}.{kind}")
        newest = max(found, default=None)
        return Backup(newest, what) if newest else None

    def mark_taken_back(self, backup: Backup) -> None:
        """The copy stays, but it is not what the next revert goes back to. Raises HostError."""
        try:
            backup.path.rename(backup.path.with_name(backup.path.name + _TAKEN_BACK))
        except OSError as error:
            raise HostError(f"cannot rename {backup.path}: {error.strerror}") from error

    def drop(self, backup: Backup) -> None:
        """Remove a copy of something that was not changed after all."""
        backup.path.unlink(missing_ok=True)

    def _write(self, stem: str, end: str, text: str) -> Path:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        for number in range(_HIGHEST):
            path = self._directory / f"{stem}.{number:03}.{end}"
            try:
                fd = os.open(path, flags, _MODE)
            except FileExistsError:
                continue
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            return path
        raise FileExistsError(0, f"there are {_HIGHEST} of this second")


def encode(name: str) -> str:
    """A name as part of a file's name: ``win10`` as it is, the rest percent-encoded, long ones cut.

    Different names stay different, and no result holds a ``/`` or the sign ``+``.
    """
    encoded = quote(name, safe="")
    if len(encoded) <= _LONGEST:
        return encoded
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"{encoded[: _LONGEST - 17]}={digest}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
