"""Which of several desktop entries an application goes by. Pure."""

from collections.abc import Iterable, Mapping

from vfiod.tools.reopen.entry import Entry
from vfiod.tools.reopen.runners import runs_others


def is_same(one: Entry, other: Entry) -> bool:
    """Whether both open the same application: Chrome ships two such entries."""
    return _key(one) == _key(other) or one.ident == other.ident


def once(found: Mapping[str, str], entries: Mapping[str, Entry]) -> dict[str, str]:
    """Ids and workspaces, each application once: by an entry that menus show, and of these by one
    whose workspace is known.
    """
    alike: dict[object, list[str]] = {}
    for ident in found:
        alike.setdefault(_key(entries[ident]), []).append(ident)
    kept: dict[str, str] = {}
    for idents in alike.values():
        best = max(idents, key=lambda ident: (entries[ident].is_shown, bool(found[ident])))
        kept[best] = next((found[ident] for ident in idents if found[ident]), "")
    return kept


def first_of_each(entries: Iterable[Entry]) -> list[Entry]:
    """Without those that open the same as an earlier one."""
    found: dict[object, Entry] = {}
    for entry in entries:
        found.setdefault(_key(entry), entry)
    return list(found.values())


def of_window(app: str, entries: Iterable[Entry]) -> Entry | None:
    """The one of that id, else of that window's class; before both, one that menus show."""
    name = app.lower()
    alike = [e for e in entries if name and name in (e.ident.lower(), e.window_class.lower())]
    return max(alike, key=lambda e: (e.is_shown, e.ident.lower() == name), default=None)


def of_ident(ident: str, entries: Mapping[str, Entry]) -> Entry | None:
    """The one of that id, else the only one that menus show for a snap's program."""
    if ident in entries:
        return entries[ident]
    alike = [e for e in entries.values() if e.snap == ident and e.is_shown and ident]
    return alike[0] if len(alike) == 1 else None


def shown(entry: Entry, entries: Iterable[Entry]) -> Entry:
    """The entry itself, or the one that menus show for its program if they hide this one."""
    if entry.is_shown or not entry.program:
        return entry
    alike = [e for e in entries if e.is_shown and e.program == entry.program]
    own = [e for e in alike if e.arguments == entry.arguments]
    if not own and not runs_others(entry.program):
        own = alike
    return own[0] if len(first_of_each(own)) == 1 else entry


def _key(entry: Entry) -> object:
    """A program that begins others, as /usr/bin/snap is for all snaps, says nothing by itself."""
    says_nothing = runs_others(entry.program) and not entry.arguments
    return entry.ident if says_nothing or not entry.program else (entry.program, entry.arguments)
