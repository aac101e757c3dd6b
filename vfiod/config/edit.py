"""The text of the configuration with one guest's devices changed, all else byte for byte. Pure.

Lines are exchanged at the places the reader's own nodes give. A round trip through a YAML library
would lose the installed file, which is all comments, and move comments that follow a list.
"""

from collections.abc import Sequence
from dataclasses import replace

from vfiod.config import schema
from vfiod.config.edit_list import STEP, Remarks, changed, fresh, split
from vfiod.config.schema import Config, DeviceConfig, GuestConfig
from vfiod.config.yaml_nodes import read, write_literal
from vfiod.config.yaml_places import Section, ended, flows, line_end, named
from vfiod.errors import ConfigError
from vfiod.util.typed import virsh


def with_devices(
    text: str,
    guest: str,
    devices: Sequence[DeviceConfig],
    *,
    remarks: Remarks | None = None,
) -> str:
    """The text with exactly these devices for the guest, which is added if it is not there.

    What is unchanged in the guest's list keeps its lines, comments included. ``remarks`` become
    comments behind new devices. Raises ConfigError if the text is faulty, or if it is laid out
    so that it must be changed by hand.
    """
    old = schema.parse(text)
    lines = _section_lines(text, guest, devices, remarks or {})
    new = _put(text, guest, lines)
    _check(old, new, guest, devices, lines)
    return new


def restored(text: str, before: str, guest: str) -> str:
    """The text with the guest's devices as they were ``before``, or without a guest that had none.

    What else the guest got since stays; if that is nothing, its section is as it was to the byte,
    and if nothing at all was changed, this is ``before``. Raises ConfigError.
    """
    now, then = (schema.parse(one).guests.get(guest) for one in (text, before))
    if now and then and replace(now, devices=then.devices) != then:
        return with_devices(text, guest, then.devices)
    if _put(before, guest, _lines_of(text, guest)) == text:
        return before
    new = _put(text, guest, _lines_of(before, guest))
    schema.parse(new)
    return new


def _check(
    old: Config, new: str, guest: str, devices: Sequence[DeviceConfig], lines: Sequence[str]
) -> None:
    """What was meant must be what the reader reads, and nothing else may have changed."""
    try:
        found = schema.parse(new)
    except ConfigError:
        found = Config()
    mine = found.guests.get(guest)
    before = old.guests.get(guest) or GuestConfig(guest, (), sessions=old.sessions)
    meant = mine and set(mine.devices) == set(devices) and replace(before, devices=mine.devices)
    if mine is None or mine != meant or _without(found, guest) != _without(old, guest):
        what = "the file is laid out so that it must be changed by hand; write below guests:"
        raise ConfigError(["\n".join([what, *lines])])


def _without(config: Config, guest: str) -> Config:
    return replace(config, guests={n: g for n, g in config.guests.items() if n != guest})


def _section_lines(
    text: str, guest: str, devices: Sequence[DeviceConfig], remarks: Remarks
) -> list[str]:
    """The guest's section: its own lines with another list of devices, or new ones."""
    section = _find(text, guest)
    column = section.column if section else _column(text)
    listed = _below(section, "devices") if section and not flows(section.value) else None
    if section is None or listed is None:
        indent = " " * (column + len(STEP))
        others = [f"{indent}{line}" for line in _others(section)] if section else []
        head = f"{' ' * column}{_written(guest)}:{_comment(text, section)}"
        return [head, *others, *_list(devices, remarks, indent)]
    if flows(listed.value):
        head, *items = _list(devices, remarks, " " * listed.column)
        mine = [head + _comment(text, listed), *items]
    else:
        head = text[listed.start : line_end(text, listed.key.node.end_mark.index)]
        mine = [*split(head), *changed(text, listed, devices, remarks)]
    return [
        *split(text[section.start : listed.start]),
        *mine,
        *split(text[listed.end : section.end]),
    ]


def _list(devices: Sequence[DeviceConfig], remarks: Remarks, indent: str) -> list[str]:
    return [f"{indent}devices:", *fresh(devices, remarks, indent + STEP)]


def _others(section: Section) -> list[str]:
    """The other keys of a guest that stands in braces, in lines of their own."""
    pairs = [(key, value) for key, value in section.value.entries() if key.node.value != "devices"]
    return [f"{key.raw}: {value.raw}" for key, value in pairs]


def _comment(text: str, section: Section | None) -> str:
    """The comment behind a value in braces or brackets, which may stand in braces itself."""
    rest = text[section.value.node.end_mark.index : section.end].rstrip() if section else ""
    return rest if rest.lstrip().startswith("#") else ""


def _written(guest: str) -> str:
    try:
        return write_literal(guest)
    except ValueError as error:
        rename = f"{virsh('domrename', guest)} NEW-NAME"
        raise ConfigError([f"the guest's name {error}; rename it: {rename}"]) from error


def _put(text: str, guest: str, lines: Sequence[str] | None) -> str:
    """Replace the guest's section, add it as the last, or take it out."""
    block = "".join(f"{line}\n" for line in lines or [])
    section = _find(text, guest)
    if section:
        return text[: section.start] + block + text[section.end :]
    if not block:
        return text
    guests = _top(text, "guests")
    if guests is None:
        return ended(text) + "guests:\n" + block
    if guests.value.node.value and guests.value.is_mapping:
        return ended(text[: guests.end]) + block + text[guests.end :]
    return _filled(text, guests, block)


def _filled(text: str, guests: Section, block: str) -> str:
    """Put the first guest into an empty ``guests:``, whose line may end with a comment."""
    node = guests.value.node
    rest = text[node.end_mark.index : guests.end]
    head = text[: node.start_mark.index].rstrip(" ")
    return ended(head + rest) + block + text[guests.end :]


def _lines_of(text: str, guest: str) -> list[str] | None:
    section = _find(text, guest)
    return split(text[section.start : section.end]) if section else None


def _find(text: str, guest: str) -> Section | None:
    guests = _top(text, "guests")
    return _below(guests, guest) if guests else None


def _top(text: str, name: str) -> Section | None:
    root, _ = read(text)
    return named(root, name) if root else None


def _below(section: Section, name: str) -> Section | None:
    return named(section.value, name)


def _column(text: str) -> int:
    """Where the guests' names stand."""
    guests = _top(text, "guests")
    entries = guests.value.entries() if guests else []
    return entries[0][0].node.start_mark.column if entries else len(STEP)
