"""What setup would do to this host, as data: shown, written down, done and undone from the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Command = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file from ``before`` to ``after``; None stands for a file that is not there.

    ``refresh``: programs that must run afterwards, and again after the change was undone.
    ``implied``: what they go by where the file is not there, if that changes with a reboot.
    """

    path: str
    before: bytes | None
    after: bytes | None
    reasons: tuple[str, ...]
    refresh: tuple[Command, ...] = ()
    implied: str = ""


@dataclass(frozen=True, slots=True)
class ToolChange:
    """A change of the kernel's options that another program makes and takes back."""

    apply: Command
    revert: Command
    reasons: tuple[str, ...]


Change = FileChange | ToolChange


@dataclass(frozen=True, slots=True)
class Note:
    """Something the person should know or do; ``command`` is what does it, where one does."""

    text: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """``restart``: why vfiod.service must be restarted, or empty. ``reboot``: why, each a line.

    ``checks``: what `vfiod doctor` will look at once all is in force.
    """

    changes: tuple[Change, ...] = ()
    restart: str = ""
    notes: tuple[Note, ...] = ()
    reboot: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to do on this host."""
        return not self.changes and not self.restart


@dataclass
class Draft:
    """Files as they will be, while the decisions are made one after the other."""

    files: Mapping[str, bytes]
    _drafts: dict[str, FileChange] = field(default_factory=dict)

    def current(self, path: str) -> bytes | None:
        """What the file will hold after the decisions so far."""
        draft = self._drafts.get(path)
        return draft.after if draft else self.files.get(path)

    def write(
        self,
        path: str,
        after: bytes | None,
        reason: str,
        refresh: Sequence[Command] = (),
        implied: str = "",
    ) -> None:
        """Let the file hold ``after``."""
        former = self._drafts.get(path) or FileChange(path, self.files.get(path), None, ())
        reasons = (*former.reasons, *(() if reason in former.reasons else (reason,)))
        programs = tuple(dict.fromkeys((*former.refresh, *refresh)))
        implied = former.implied or implied
        self._drafts[path] = FileChange(path, former.before, after, reasons, programs, implied)

    def copy(self) -> "Draft":
        """The same so far, to try something on."""
        return Draft(self.files, dict(self._drafts))

    def adopt(self, trial: "Draft") -> None:
        """Keep what was tried."""
        self._drafts = dict(trial._drafts)

    def files_after(self) -> Mapping[str, bytes]:
        """All files as they will be; those that will be removed are left out."""
        after = {path: change.after for path, change in self._drafts.items()}
        return {p: d for p, d in {**self.files, **after}.items() if d is not None}

    def changes(self) -> tuple[FileChange, ...]:
        """Those files that would really change."""
        return tuple(change for change in self._drafts.values() if change.before != change.after)
