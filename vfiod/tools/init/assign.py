"""The devices of a guest, in the configuration and in its definition: both are changed, or none.

The configuration comes first: between the two a start is refused with the desktop untouched,
the other way round libvirt would start a guest that vfiod does not know.
"""

from dataclasses import dataclass
from pathlib import Path

from vfiod.config import edit
from vfiod.errors import Busy, HostError
from vfiod.guest import change, hostdevs
from vfiod.guest.backups import Backups
from vfiod.guest.change import Change, Definitions, Share
from vfiod.util.files import replace_file
from vfiod.util.textdiff import difference

WHAT = "init"  # by this the backups are found again
_REVERT = "revert"
_SHARE = Share(hostdevs.take_out, hostdevs.put_back)
_MODE = 0o644


@dataclass(frozen=True, slots=True)
class Assignment:
    """Both texts as they are and as they are to be; ``path`` is the configuration's."""

    path: Path
    before: str
    after: str
    change: Change

    @property
    def difference(self) -> list[str]:
        """Unified diffs of both; empty if nothing changes."""
        mine = difference(self.before, self.after, name=str(self.path))
        return mine + self.change.difference


class Assigner:
    """Makes assignments and takes them back. Methods raise HostError, Busy or ConfigError."""

    def __init__(self, definitions: Definitions, backups: Backups) -> None:
        self._definitions = definitions
        self._backups = backups

    def apply(self, assignment: Assignment, *, what: str = WHAT) -> None:
        """Keep both texts as backups and put the new ones in their place, or change nothing."""
        path, guest = assignment.path, assignment.change.guest
        backup = self._backups.keep(guest, assignment.before, what=what, kind="yaml")
        try:
            write(path, assignment.before, assignment.after)
            try:
                change.apply(assignment.change, self._definitions, self._backups, what=what)
            except BaseException:
                write(path, assignment.after, assignment.before)
                raise
        except BaseException:
            self._backups.drop(backup)
            raise

    def revert_of(self, guest: str, path: Path) -> Assignment:
        """The way back to before the last assignment. Raises HostError if there was none."""
        back, _ = change.revert_of(guest, self._definitions, self._backups, what=WHAT, share=_SHARE)
        backup = self._backups.newest(guest, what=WHAT, kind="yaml")
        now = read(path)
        before = edit.restored(now, backup.text, guest) if backup else now
        return Assignment(path, now, before, back)

    def revert(self, assignment: Assignment) -> None:
        """Go that way; the next revert goes one assignment further back."""
        guest = assignment.change.guest
        used = [self._backups.newest(guest, what=WHAT, kind=kind) for kind in ("yaml", "xml")]
        self.apply(assignment, what=_REVERT)
        for backup in filter(None, used):
            self._backups.mark_taken_back(backup)


def read(path: Path) -> str:
    """A file's text, empty if there is no such file yet. Raises HostError."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise HostError(f"cannot read {path}: {error}") from error


def write(path: Path, expected: str, text: str) -> None:
    """Replace the configuration, unless it is not ``expected`` any more. A link stays one."""
    if read(path) != expected:
        raise Busy(f"{path} was changed by somebody else in the meantime", "run the command again")
    if text == expected:
        return
    try:
        replace_file(path.resolve(), text.encode(), mode=_MODE)
    except OSError as error:
        raise HostError(f"cannot write {path}: {error.strerror}") from error
