"""A change of a guest's definition: shown, backed up, made, and taken back.

libvirt applies it at the guest's next start; a guest that runs goes on as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from vfiod.errors import Busy, HostError
from vfiod.guest import tree
from vfiod.guest.backups import Backup, Backups
from vfiod.util import textdiff


class Definitions(Protocol):
    """Where definitions are kept: libvirt, through vfiod.guest.connection."""

    def definition(self, guest: str) -> str:
        """The inactive XML, secrets included."""

    def define(self, xml: str) -> None:
        """Replace it; XML that libvirt's schema does not know is refused."""


@dataclass(frozen=True, slots=True)
class Change:
    """A definition as libvirt has it and as it is to be."""

    guest: str
    before: str
    after: str

    @property
    def difference(self) -> list[str]:
        """A unified diff; empty if nothing changes."""
        return textdiff.difference(tree.tidy(self.before), self.after, name=f"guest {self.guest}")


def edit(guest: str, xml: str, how: Callable[[Any], None]) -> Change:
    """The change that ``how`` makes to the tree. Raises DomainError."""
    root = tree.read(xml)
    how(root)
    return Change(guest, xml, tree.write(root))


def apply(change: Change, definitions: Definitions, backups: Backups, *, what: str) -> Backup:
    """Keep the old definition as a backup and define the new one.

    Argument: ``what`` changes it: the verb, by which ``revert_of`` finds the backup.
    Raises Busy if the definition is not the one that was shown any more, and HostError if
    libvirt refuses; either way nothing was changed.
    """
    if definitions.definition(change.guest) != change.before:
        raise Busy(
            f"the definition of {change.guest} was changed by somebody else in the meantime",
            "nothing was changed; run the command again to see it as it is now",
        )
    backup = backups.keep(change.guest, change.before, what=what)
    try:
        if change.difference:
            definitions.define(change.after)
    except BaseException:
        backups.drop(backup)
        raise
    return backup


def revert_of(
    guest: str, definitions: Definitions, backups: Backups, *, what: str
) -> tuple[Change, Backup]:
    """The change back to what was before ``what`` last changed the guest.

    It takes back all that was changed since, by whomever: show its difference. Give it to
    ``apply`` and, when that is done, the backup to ``Backups.mark_taken_back``.
    Raises HostError if there is no backup.
    """
    backup = backups.newest(guest, what=what)
    if backup is None:
        raise HostError(f"there is no backup of {guest} that vfiod {what} has left")
    change = Change(guest, definitions.definition(guest), tree.tidy(backup.text))
    return change, backup
