"""The text of the configuration with one guest's devices changed, all else byte for byte. Pure.

Lines are exchanged at the places the reader's own nodes give. A round trip through a YAML library
would lose the installed file, which is all comments, and move comments that follow a list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from vfiod.config import schema
from vfiod.config.schema import Config, DeviceConfig
from vfiod.config.yaml_nodes import is_printable, read, write_literal, write_text
from vfiod.config.yaml_places import Section, end_of, ended, flows, line_end, named
from vfiod.errors import ConfigError
from vfiod.model import PciAddress

_STEP = "  "


def with_devices(
    text: str,
    guest: str,
    devices: Sequence[DeviceConfig],
    *,
    remarks: Mapping[PciAddress, str] | None = None,
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
    """The text with the guest's section as it was ``before``, or without it if it had none.

    If nothing else was changed since, this is ``before``. Raises ConfigError.
    """
    schema.parse(text)
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
    others = {name: other for name, other in old.guests.items() if name != guest}
    kept = replace(found, guests={n: g for n, g in found.guests.items() if n != guest})
    if mine is None or set(mine.devices) != set(devices) or kept != replace(old, guests=others):
        what = "the file is laid out so that it must be changed by hand; write below guests:"
        raise ConfigError(["\n".join([what, *lines])])


def _section_lines(
    text: str,
    guest: str,
    devices: Sequence[DeviceConfig],
    remarks: Mapping[PciAddress, str],
) -> list[str]:
    """The guest's section: its own lines with another list of devices, or new ones."""
    section = _find(text, guest)
    column = section.column if section else _column(text)
    listed = _below(section, "devices") if section and not flows(section.value) else None
    if section is None or listed is None:
        sessions = _sessions(section) if section else []
        indent = " " * column
        fresh = _list_lines(devices, remarks, indent + _STEP)
        return [f"{indent}{_written(guest)}:", *(indent + _STEP + s for s in sessions), *fresh]
    old = _kept(text, listed)
    dash = " " * listed.value.node.start_mark.column if old else " " * (listed.column + 2)
    chunks = [old.get(d) or _device_lines(d, remarks, dash) for d in _ordered(devices, old)]
    head = " " * listed.column + "devices:"
    if old:
        head = text[listed.start : line_end(text, listed.key.node.end_mark.index)].rstrip("\n")
    return [
        *_lines(text[section.start : listed.start]),
        head,
        *(line for chunk in chunks for line in chunk),
        *_lines(text[listed.end : section.end]),
    ]


def _ordered(
    devices: Sequence[DeviceConfig], old: Mapping[DeviceConfig, list[str]]
) -> list[DeviceConfig]:
    """Those that were there in their old order, then the new ones."""
    return [d for d in old if d in devices] + [d for d in devices if d not in old]


def _kept(text: str, listed: Section) -> dict[DeviceConfig, list[str]]:
    """The devices of a block list, each with its lines and the comments above it."""
    if flows(listed.value):
        return {}
    old = {}
    start = line_end(text, listed.key.node.end_mark.index)
    for item in listed.value.items(expected="") or []:
        end = end_of(text, item.node)
        device = schema.read_device(item)
        if device is not None:
            old[device] = _lines(text[start:end])
        start = end
    return old


def _list_lines(
    devices: Sequence[DeviceConfig], remarks: Mapping[PciAddress, str], indent: str
) -> list[str]:
    lines = [f"{indent}devices:"]
    for device in devices:
        lines += _device_lines(device, remarks, indent + _STEP)
    return lines


def _device_lines(
    device: DeviceConfig, remarks: Mapping[PciAddress, str], indent: str
) -> list[str]:
    remark = remarks.get(device.address, "")
    comment = f"  # {remark}" if remark and is_printable(remark) else ""
    if device.rom is None:
        return [f"{indent}- {device.address}{comment}"]
    return [
        f"{indent}- address: {device.address}{comment}",
        f"{indent}  rom: {write_text(device.rom)}",
    ]


def _sessions(section: Section) -> list[str]:
    found = _below(section, "sessions")
    return [f"sessions: {found.value.node.value}"] if found else []


def _written(guest: str) -> str:
    try:
        return write_literal(guest)
    except ValueError as error:
        raise ConfigError(
            [f"the guest's name {error}; rename it: virsh --connect qemu:///system domrename"]
        ) from error


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
    return _lines(text[section.start : section.end]) if section else None


def _find(text: str, guest: str) -> Section | None:
    guests = _top(text, "guests")
    return _below(guests, guest) if guests else None


def _top(text: str, name: str) -> Section | None:
    root, _ = read(text)
    return named(root, name) if root else None


def _below(section: Section, name: str) -> Section | None:
    return named(section.value, name)


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _column(text: str) -> int:
    """Where the guests' names stand."""
    guests = _top(text, "guests")
    entries = guests.value.entries() if guests else []
    return entries[0][0].node.start_mark.column if entries else len(_STEP)
