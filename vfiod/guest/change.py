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
class Share:
    """What one verb changes in definitions.

    ``take_out`` removes it from a tree, with what libvirt adds because of it. ``put_back`` makes
    it in the first tree what it is in the second, and may raise HostError.
    """

    take_out: Callable[[Any], None]
    put_back: Callable[[Any, Any], None]


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
    guest: str, definitions: Definitions, backups: Backups, *, what: str, share: Share
) -> tuple[Change, Backup]:
    """The change back to what was before ``what`` last changed the guest.

    What else was changed since, by whomever, stays: an old definition would boot the base of a
    snapshot and destroy what is above it. Give the change to ``apply`` and, when that is done,
    the backup to ``Backups.mark_taken_back``.
    Raises HostError if there is no backup or ``share`` cannot be put back by itself.
    """
    backup = backups.newest(guest, what=what)
    if backup is None:
        raise HostError(f"there is no backup of {guest} that vfiod {what} has left")
    now = definitions.definition(guest)
    return Change(guest, now, _restored(now, backup.text, share)), backup


def _restored(now: str, before: str, share: Share) -> str:
    """``before`` itself if nothing else was changed since, which is all as it was to the byte."""
    if _rest(now, share) == _rest(before, share):
        return tree.tidy(before)
    root = tree.read(now)
    share.put_back(root, tree.read(before))
    return tree.write(root)


def _rest(xml: str, share: Share) -> list[tuple[Any, ...]]:
    root = tree.read(xml)
    share.take_out(root)
    return tree.form(root)
