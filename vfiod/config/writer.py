"""Frozen configuration -> YAML text in full, defaults included. Pure."""

from enum import Enum

from vfiod.config.performance import write_performance
from vfiod.config.schema import LIMIT_KEYS, TOP_KEYS, Config, GuestConfig
from vfiod.config.yaml_nodes import write_literal, write_text


def normalised(config: Config) -> str:
    """Write the full configuration, defaults included, as YAML that ``parse`` reads back.

    Raises ValueError for a guest's name that ``parse`` never gives.
    """
    alone = [name for name in TOP_KEYS if name not in ("guests", "limits")]
    lines = [
        *(f"{name}: {_scalar(getattr(config, name))}" for name in alone),
        "limits:",
        *(f"  {name}: {_scalar(getattr(config.limits, name))}" for name in LIMIT_KEYS),
        "guests:",
    ]
    for guest in config.guests.values():
        lines += _guest_lines(guest)
    return "\n".join(lines) + "\n"


def _guest_lines(guest: GuestConfig) -> list[str]:
    lines = [
        f"  {write_literal(guest.name)}:",
        f"    sessions: {guest.sessions.value}",
        "    devices:",
    ]
    for device in guest.devices:
        lines.append(f"      - address: {device.address}")
        lines += [f"        rom: {write_text(device.rom)}"] if device.rom else []
    return lines + [f"    {row}" for row in write_performance(guest.performance)]


def _scalar(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            return str(int(value)) if value == int(value) else repr(value)
        case tuple():
            return f"[{', '.join(map(write_text, value))}]"
        case Enum():
            return str(value.value)
    return write_text(str(value))
