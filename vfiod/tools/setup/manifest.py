"""What setup changed on this host: entries in their order, and how they are written down."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from vfiod.tools.setup.changes import Command
from vfiod.tools.setup.files import Status
from vfiod.tools.setup.kernels import of_all

VERSION = 1


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file that was changed. ``number`` names its copies; digests are SHA-256 or None (absent).

    ``status``: of the file before, None if it was absent. ``refresh``: programs that read it.
    ``implied``: what they went by where it was absent (see FileChange).
    """

    number: int
    path: str
    before: str | None
    after: str | None
    status: Status | None
    refresh: tuple[Command, ...] = ()
    reasons: tuple[str, ...] = ()
    implied: str = ""


@dataclass(frozen=True, slots=True)
class ToolEntry:
    """A change that another program made; ``revert`` takes it back and may run twice."""

    number: int
    apply: Command
    revert: Command
    reasons: tuple[str, ...] = ()


Entry = FileEntry | ToolEntry


@dataclass(frozen=True, slots=True)
class Manifest:
    """``pending``: programs that must still run before what is configured is in force.

    ``made``: directories that setup made, a directory after those in it.
    """

    entries: tuple[Entry, ...] = ()
    pending: tuple[Command, ...] = ()
    made: tuple[str, ...] = ()

    @property
    def next_number(self) -> int:
        """For the next entry: higher than all."""
        return max((entry.number for entry in self.entries), default=0) + 1

    def adding(self, entry: Entry) -> "Manifest":
        """With one more entry, the newest."""
        return replace(self, entries=(*self.entries, entry))

    def without(self, entry: Entry) -> "Manifest":
        """With one entry less."""
        return replace(self, entries=tuple(e for e in self.entries if e != entry))

    def awaiting(self, programs: Sequence[Command]) -> "Manifest":
        """With more programs to run."""
        return replace(self, pending=tuple(dict.fromkeys((*self.pending, *programs))))

    def having_made(self, directories: Sequence[str]) -> "Manifest":
        """With more directories to remove at the end, if they are empty by then."""
        made = dict.fromkeys((*directories, *self.made))
        return replace(self, made=tuple(sorted(made, key=lambda path: -path.count("/"))))


def digest(data: bytes | None) -> str | None:
    """SHA-256 in hexadecimal; None of an absent file."""
    return None if data is None else hashlib.sha256(data).hexdigest()


def encode(manifest: Manifest) -> dict[str, Any]:
    """The manifest as a JSON document."""
    return {"version": VERSION, **asdict(manifest)}


def decode(data: Any) -> Manifest:
    """The manifest of a JSON document. Raises ValueError, KeyError or TypeError."""
    if data["version"] != VERSION:
        raise ValueError(f"its version is {data['version']}, this vfiod knows {VERSION}")
    entries = tuple(_entry(row) for row in data["entries"])
    return Manifest(entries, _programs(data["pending"]), tuple(map(str, data["made"])))


def _entry(row: Any) -> Entry:
    number, reasons = int(row["number"]), tuple(map(str, row["reasons"]))
    if "revert" in row:
        apply, revert = _commands([row["apply"], row["revert"]])
        return ToolEntry(number, apply, revert, reasons)
    return FileEntry(
        number=number,
        path=str(row["path"]),
        before=row["before"],
        after=row["after"],
        status=None if row["status"] is None else _status(row["status"]),
        refresh=_programs(row["refresh"]),
        reasons=reasons,
        implied=str(row.get("implied", "")),
    )


def _status(row: Any) -> Status:
    owner = (int(row["owner"][0]), int(row["owner"][1])) if row["owner"] else None
    attributes = tuple((str(name), str(value)) for name, value in row["attributes"])
    return Status(int(row["mode"]), owner, attributes)


def _programs(rows: Any) -> tuple[Command, ...]:
    return tuple(dict.fromkeys(map(of_all, _commands(rows))))


def _commands(rows: Any) -> tuple[Command, ...]:
    return tuple(tuple(map(str, row)) for row in rows)
