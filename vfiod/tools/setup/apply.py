"""Making setup's changes and taking them back: the only module of this room with effects.

Written down first, then done. Taking back compares: what a person changed since is theirs and
stays. Both may be killed at any moment and run again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from vfiod.errors import HostError
from vfiod.paths import STATE
from vfiod.tools.setup import files
from vfiod.tools.setup.changes import Change, Command, FileChange, Plan
from vfiod.tools.setup.files import Status
from vfiod.tools.setup.kernels import commands, installed
from vfiod.tools.setup.manifest import Entry, FileEntry, Manifest, ToolEntry, digest
from vfiod.tools.setup.store import Store

Run = Callable[[Command], object]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A file that somebody changed after setup did: its contents as setup left it, and now."""

    entry: FileEntry
    ours: bytes | None
    now: bytes | None


@dataclass(slots=True)
class Remains:
    """What could not be taken back: others' later changes, and what failed."""

    conflicts: list[Conflict] = field(default_factory=list)
    failures: list[HostError] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.conflicts or self.failures)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """One failure does not keep the other changes from being taken back."""
        try:
            yield
        except HostError as error:
            self.failures.append(error)


class Setup:
    """Works below ``root``; ``run`` runs a program, ``tell`` says what is done."""

    def __init__(
        self, run: Run, tell: Callable[[str], object], root: Path = Path("/"), state: Path = STATE
    ) -> None:
        self._run = run
        self._tell = tell
        self._root = root
        self._store = Store(state)
        self._manifest = Manifest()

    def apply(self, plan: Plan) -> None:
        """Make the changes. Raises HostError; what was done so far stays written down."""
        with self._store.locked():
            self._forget_undone()
            for change in plan.changes:
                self._apply(change)
            self._run_pending()
            self._close()

    def restart(self) -> None:
        """Restart the service, which installs its hook. Raises HostError."""
        self._program(("systemctl", "restart", "vfiod.service"))

    def undo(self) -> Remains:
        """Take back what was changed, newest first. Raises HostError."""
        remains = Remains()
        with self._store.locked():
            self._forget_undone()
            for entry in reversed(self._manifest.entries):
                if any(conflict.entry.path == _path(entry) for conflict in remains.conflicts):
                    continue
                with remains.collecting():
                    self._undo(entry, remains)
            with remains.collecting():
                self._run_pending()
                self._remove_stand_ins()
                self._close()
        return remains

    def _apply(self, change: Change) -> None:
        number = self._manifest.next_number
        if isinstance(change, FileChange):
            self._change(number, change)
            return
        entry = ToolEntry(number, change.apply, change.revert, change.reasons)
        self._save(self._manifest.adding(entry))
        self._program(change.apply)

    def _change(self, number: int, change: FileChange) -> None:
        path = self._place(change.path)
        if path.is_symlink() or files.read(path) != change.before:
            raise HostError(f"{change.path} is not what was shown; it was left alone")
        entry = FileEntry(
            number=number,
            path=change.path,
            before=digest(change.before),
            after=digest(change.after),
            status=None if change.before is None else files.status(path),
            refresh=change.refresh,
            reasons=change.reasons,
            implied=change.implied,
        )
        missing = [directory for directory in path.parents if not directory.exists()]
        made = [f"/{directory.relative_to(self._root)}" for directory in missing]
        self._store.keep(number, path.name, change.before, change.after)
        self._save(self._manifest.adding(entry).awaiting(change.refresh).having_made(made))
        self._tell(f"{'Writing' if change.after is not None else 'Removing'} {change.path}")
        self._set(path, change.after, entry.status or Status())

    def _undo(self, entry: Entry, remains: Remains) -> None:
        if isinstance(entry, ToolEntry):
            self._program(entry.revert)
            self._save(self._manifest.without(entry))
            return
        path = self._place(entry.path)
        now = files.read(path)
        if digest(now) != entry.after and not (entry.implied and now in self._implied(entry)):
            ours = None if entry.after is None else self._store.kept(entry, "after")
            remains.conflicts.append(Conflict(entry, ours, now))
            return
        if entry.implied:
            self._stand_in(entry)
            return
        before = None if entry.before is None else self._store.kept(entry, "before")
        self._tell(f"{'Restoring' if before is not None else 'Removing'} {entry.path}")
        self._set(path, before, entry.status or Status())
        self._forget(entry)

    def _stand_in(self, entry: FileEntry) -> None:
        """Where the file was absent its programs go by the options that are in force, which setup's
        are by now: until they have run, the file holds what was in force before.
        """
        self._save(self._manifest.awaiting(entry.refresh))
        self._set(self._place(entry.path), entry.implied.encode(), Status())

    def _remove_stand_ins(self) -> None:
        for entry in self._manifest.entries:
            if not isinstance(entry, FileEntry) or not entry.implied:
                continue
            path = self._place(entry.path)
            if files.read(path) in self._implied(entry):
                self._tell(f"Removing {entry.path}")
                self._set(path, None, Status())
                self._save(self._manifest.without(entry))

    def _implied(self, entry: FileEntry) -> list[bytes | None]:
        """What the file holds while it is taken back, and when it was and that is not known yet."""
        found = (e for e in self._manifest.entries if isinstance(e, FileEntry))
        return [None, *(e.implied.encode() for e in found if e.path == entry.path)]

    def _forget_undone(self) -> None:
        """Drop what an earlier run was killed before it did, and what a person put back.

        What stands for an absent file stays: only `undo` knows how to have that read once more.
        """
        self._manifest = self._store.load()
        undone: set[str] = set()
        for entry in self._manifest.entries:
            if not isinstance(entry, FileEntry):
                continue
            if entry.path in undone:
                self._forget(entry)
            elif self._is_undone(entry):
                undone.add(entry.path)
                if not entry.implied:
                    self._forget(entry)

    def _is_undone(self, entry: FileEntry) -> bool:
        """True if the file holds what it held before; its status is then put right as well."""
        path = self._place(entry.path)
        files.temporary_of(path).unlink(missing_ok=True)
        data = files.read(path)
        if digest(data) != entry.before:
            return False
        if data is not None and entry.status and files.status(path) != entry.status:
            self._set(path, data, entry.status)
        return True

    def _forget(self, entry: FileEntry) -> None:
        self._save(self._manifest.without(entry).awaiting(entry.refresh))
        self._remove_made()

    def _run_pending(self) -> None:
        kernels = tuple(installed(self._root))
        for program in commands(self._manifest.pending, kernels):
            self._program(program)
        self._save(replace(self._manifest, pending=()))

    def _close(self) -> None:
        self._remove_made()
        self._save(self._manifest if self._manifest.entries else Manifest())

    def _remove_made(self) -> None:
        files.remove_empty([self._place(directory) for directory in self._manifest.made])

    def _save(self, manifest: Manifest) -> None:
        self._store.save(manifest)
        self._manifest = manifest

    def _program(self, program: Command) -> None:
        self._tell(f"Running {' '.join(program)} …")
        self._run(program)

    def _set(self, path: Path, data: bytes | None, status: Status) -> None:
        try:
            if data is None:
                files.remove(path)
            else:
                files.put(path, data, status)
        except OSError as error:
            raise HostError(f"cannot write {path}: {error.strerror}") from error

    def _place(self, name: str) -> Path:
        return self._root / name.lstrip("/")


def _path(entry: Entry) -> str | None:
    return entry.path if isinstance(entry, FileEntry) else None
