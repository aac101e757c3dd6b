"""The lines of a guest's list of devices, each with the comments that are its own. Pure."""

from collections.abc import Mapping, Sequence

from vfiod.config import schema
from vfiod.config.schema import DeviceConfig
from vfiod.config.yaml_nodes import Value, is_printable, write_text
from vfiod.config.yaml_places import Section, end_of, flows, line_end
from vfiod.model import PciAddress

STEP = "  "
Remarks = Mapping[PciAddress, str]


def fresh(devices: Sequence[DeviceConfig], remarks: Remarks, indent: str) -> list[str]:
    """The items of a list that is written anew."""
    return [line for device in devices for line in _item(device, remarks, indent)]


def changed(
    text: str, listed: Section, devices: Sequence[DeviceConfig], remarks: Remarks
) -> list[str]:
    """The items of a list that is there in lines of its own: those that stay, then new ones."""
    wanted = {device.address: device for device in devices}
    indent = " " * listed.value.node.start_mark.column
    lines: list[str] = []
    start = line_end(text, listed.key.node.end_mark.index)
    for item in listed.value.items(expected="") or []:
        end = end_of(text, item.node)
        old = schema.read_device(item)
        if old is not None and old.address in wanted:
            new = wanted.pop(old.address)
            if old != new:
                lines += _edited(text[:end], start, item, new)
            else:
                lines += split(text[start:end])
        start = end
    return lines + fresh([*wanted.values()], remarks, indent)


def split(text: str) -> list[str]:
    """Whole lines without their ends."""
    return text.removesuffix("\n").split("\n") if text else []


def _edited(text: str, start: int, item: Value, device: DeviceConfig) -> list[str]:
    """An item with another ROM. It begins at ``start``, with its comments, and ends the text."""
    node = item.node
    first, last = node.start_mark.index, node.end_mark.index
    keys = item.mapping(schema.DEVICE_KEYS) if item.is_mapping else {}
    if device.rom is None:
        behind = (item if flows(item) else keys["address"]).node.end_mark.index
        rest = text[behind : line_end(text, behind)]
        return split(f"{text[start:first]}{device.address}{rest}")
    if "rom" in keys:
        mark, end = keys["rom"].node.start_mark.index, keys["rom"].node.end_mark.index
        return split(text[start:mark] + write_text(device.rom) + text[end:])
    rom = f"{' ' * node.start_mark.column}rom: {write_text(device.rom)}"
    if item.is_mapping and not flows(item):
        return [*split(text[start:]), rom]
    return [*split(f"{text[start:first]}address: {device.address}{text[last:]}"), rom]


def _item(device: DeviceConfig, remarks: Remarks, indent: str) -> list[str]:
    remark = remarks.get(device.address, "")
    comment = f"  # {remark}" if remark and is_printable(remark) else ""
    if device.rom is None:
        return [f"{indent}- {device.address}{comment}"]
    return [
        f"{indent}- address: {device.address}{comment}",
        f"{indent}  rom: {write_text(device.rom)}",
    ]
