"""What was open, written down: ids alone, in a file that only its user can read.

It lies in the user's state folder, where neither a reboot nor another user reaches it, and is used
once: whoever renames it first opens what it names.
"""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vfiod.config.schema import Reopen
from vfiod.errors import HostError
from vfiod.tools.reopen.opened import MOST, Application
from vfiod.util.files import read_regular, remove_file, replace_file

_VERSION = 1
_LARGEST = 2**16
_LONGEST_IDENT, _LONGEST_WORKSPACE = 200, 64


@dataclass(frozen=True, slots=True)
class Record:
    """What was open, and how it is to be opened again."""

    how: Reopen
    applications: tuple[Application, ...]

    def over(self, other: "Record | None") -> "Record":
        """This, and what else the other names."""
        idents = {application.ident for application in self.applications}
        more = [a for a in (other.applications if other else ()) if a.ident not in idents]
        return replace(self, applications=(*self.applications, *more)[:MOST])


class Place:
    """The two files in a user's state folder: what waits, and what was opened last."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        state = environment.get("XDG_STATE_HOME", "")
        home = Path(environment.get("HOME", "/"))
        folder = Path(state) if state.startswith("/") else home / ".local/state"
        self.waiting = folder / "vfiod" / "reopen.json"
        self.used = folder / "vfiod" / "reopened.json"

    def write(self, record: Record) -> None:
        """Write it down in place of what was there. Raises HostError."""
        try:
            self.waiting.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace_file(self.waiting, dump(record).encode(), mode=0o600)
        except OSError as error:
            raise HostError(f"cannot write {self.waiting}: {error.strerror}") from error

    def read(self) -> Record | None:
        """What waits to be opened; None if nothing does, or it is not this user's own work."""
        return _read(self.waiting)

    def read_used(self) -> Record | None:
        """What was opened, or declined, last."""
        return _read(self.used)

    def take(self) -> bool:
        """Take what waits, so that nobody else does; False if it is gone. It stays to be seen."""
        try:
            self.waiting.rename(self.used)
        except OSError:
            return False
        return True

    def forget(self) -> None:
        """Drop both; absent is no error. Raises HostError."""
        try:
            remove_file(self.waiting)
            remove_file(self.used)
        except OSError as error:
            raise HostError(f"cannot remove {self.waiting}: {error.strerror}") from error


def dump(record: Record) -> str:
    """A record as JSON."""
    rows = [{"id": a.ident, "workspace": a.workspace} for a in record.applications]
    value = {"version": _VERSION, "how": record.how.value, "applications": rows}
    return json.dumps(value, ensure_ascii=False) + "\n"


def load(text: str) -> Record:
    """Read one. Raises ValueError for all that dump() would not have written."""
    try:
        value = json.loads(text)
        if value["version"] != _VERSION:
            raise ValueError(f"version {value['version']!r}")
        rows: Sequence[Any] = value["applications"]
        if len(rows) > MOST:
            raise ValueError(f"{len(rows)} applications")
        return Record(Reopen(value["how"]), tuple(map(_application, rows)))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a list of applications: {error!r}") from error


def _application(row: Mapping[str, str]) -> Application:
    ident, workspace = row["id"], row["workspace"]
    if not _is_ident(ident):
        raise ValueError(f"not an id: {ident!r}")
    if not (workspace.isprintable() and len(workspace) <= _LONGEST_WORKSPACE):
        raise ValueError("not a workspace")
    return Application(ident, workspace)


def _is_ident(ident: str) -> bool:
    """The name of a file, and neither a path nor an option (Desktop Entry Specification)."""
    is_file = ident.isprintable() and 0 < len(ident) <= _LONGEST_IDENT and "/" not in ident
    return is_file and not ident.startswith(("-", "."))


def is_writable(application: Application) -> bool:
    """Whether load() would read it again."""
    with suppress(ValueError):
        _application({"id": application.ident, "workspace": application.workspace})
        return True
    return False


def _read(path: Path) -> Record | None:
    with suppress(HostError, ValueError):
        data, status = read_regular(path, _LARGEST)
        if status.st_uid == os.getuid() and not status.st_mode & 0o077:
            return load(data.decode())
    return None
