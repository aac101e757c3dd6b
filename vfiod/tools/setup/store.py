"""The manifest on disk, written before each change, with copies of the files beside it.

``setup.json`` lists the changes; the contents of files before and after are plain copies in
``setup/``, for a person to look at or to copy back.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vfiod.errors import HostError
from vfiod.paths import STATE
from vfiod.tools.setup import files
from vfiod.tools.setup.files import Status
from vfiod.tools.setup.manifest import FileEntry, Manifest, decode, digest, encode

_PRIVATE = Status(mode=0o600)
_PUBLIC = Status(mode=0o644)


class Store:
    """The manifest on disk, below ``state``. One run at a time: hold ``locked`` around all."""

    def __init__(self, state: Path = STATE) -> None:
        self._state = state
        self._path = state / "setup.json"
        self._copies = state / "setup"

    @property
    def copies(self) -> Path:
        """Where the contents of changed files are kept."""
        return self._copies

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Raises HostError if another run is under way."""
        self._state.mkdir(mode=0o755, parents=True, exist_ok=True)
        fd = os.open(self._state, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _lock(fd)
            yield
        finally:
            os.close(fd)

    def load(self) -> Manifest:
        """What was changed so far. Raises HostError if the manifest cannot be understood."""
        try:
            return decode(json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return Manifest()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise HostError(
                f"{self._path} cannot be understood ({error})",
                f"a newer vfiod may have written it; the files as they were are in {self._copies}",
            ) from error

    def save(self, manifest: Manifest) -> None:
        """Let it be on the disk; an empty one leaves nothing behind."""
        if manifest == Manifest():
            files.temporary_of(self._path).unlink(missing_ok=True)
            files.remove(self._path)
            shutil.rmtree(self._copies, ignore_errors=True)
            return
        text = json.dumps(encode(manifest), indent=1, ensure_ascii=False)
        files.put(self._path, f"{text}\n".encode(), _PUBLIC)

    def keep(self, number: int, name: str, before: bytes | None, after: bytes | None) -> None:
        """Keep copies of a file's contents, readable for root alone as the file may be."""
        self._copies.mkdir(mode=0o700, exist_ok=True)
        for when, data in (("before", before), ("after", after)):
            if data is not None:
                files.put(self._copy(number, name, when), data, _PRIVATE)

    def kept(self, entry: FileEntry, when: str) -> bytes:
        """Contents ``before`` or ``after``. Raises HostError if the copy is gone or damaged."""
        path = self._copy(entry.number, Path(entry.path).name, when)
        data = files.read(path)
        if data is None or digest(data) != getattr(entry, when):
            raise HostError(
                f"{path}, the copy of {entry.path} {when} the change, is missing or damaged",
                f"look at {entry.path} yourself; vfiod leaves it as it is",
            )
        return data

    def copy_of(self, entry: FileEntry) -> Path:
        """Where the file is kept as it was before."""
        return self._copy(entry.number, Path(entry.path).name, "before")

    def _copy(self, number: int, name: str, when: str) -> Path:
        return self._copies / f"{number:02}-{name}.{when}"


def _lock(fd: int) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise HostError("another `vfiod setup` is running", "wait for its end") from error
