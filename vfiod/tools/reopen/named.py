"""Which of several desktop entries an application goes by. Pure."""

from collections.abc import Iterable, Mapping

from vfiod.tools.reopen.entry import Entry


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


def _key(entry: Entry) -> object:
    return (entry.program, entry.arguments) if entry.program else entry.ident
