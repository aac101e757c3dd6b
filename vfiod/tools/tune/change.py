"""One proposal for a guest: what to edit, and in a line why. Pure."""

from collections.abc import Collection, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from vfiod.guest.tree import form
from vfiod.tools.tune import edits


@dataclass(frozen=True, slots=True)
class Change:
    """``name`` is what --only and --without call it; ``reason`` is one line for a person.

    ``instead`` says what stands there now, by libvirt's default or the user's choice, and would
    be replaced. ``needs`` names another change that it makes no sense without.
    """

    name: str
    reason: str
    edits: tuple[edits.Edit, ...]
    instead: tuple[str, ...] = ()
    needs: str | None = None


def pending(root: Any, changes: Iterable[Change]) -> Iterator[Change]:
    """The changes that are not made yet. The tree itself stays as it is."""
    copy = deepcopy(root)
    before = form(copy)
    for change in changes:
        instead = tuple(edits.overridden(copy, change.edits))
        edits.apply(copy, change.edits)
        after = form(copy)
        if after != before:
            yield replace(change, instead=instead)
        before = after


def chosen(
    changes: Iterable[Change], *, only: Collection[str] = (), without: Collection[str] = ()
) -> list[Change]:
    """Those that the person wants, less those that need one that is not wanted."""

    def is_wanted(name: str) -> bool:
        return (name in only or not only) and name not in without

    return [c for c in changes if is_wanted(c.name) and is_wanted(c.needs or c.name)]


def apply(root: Any, changes: Iterable[Change]) -> None:
    """Make the changes in the tree."""
    for change in changes:
        edits.apply(root, change.edits)
