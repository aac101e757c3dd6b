"""Frozen configuration -> YAML text in full, defaults included. Pure."""

from vfiod.config.performance import write_performance
from vfiod.config.schema import LIMIT_KEYS, Config, GuestConfig
from vfiod.config.yaml_nodes import write_literal, write_text


def normalised(config: Config) -> str:
    """Write the full configuration, defaults included, as YAML that ``parse`` reads back.

    Raises ValueError for a guest's name that ``parse`` never gives.
    """
    lines = [
        f"sessions: {config.sessions.value}",
        f"display_manager: {write_text(config.display_manager)}",
        f"release_consoles: {str(config.release_consoles).lower()}",
        f"on_stuck: {config.on_stuck.value}",
        f"suspend_to_reset: {str(config.suspend_to_reset).lower()}",
        f"escape_keys: [{', '.join(config.escape_keys)}]",
        f"stop: [{', '.join(map(write_text, config.stop))}]",
        "limits:",
        *(f"  {name}: {_decimal(getattr(config.limits, name))}" for name in LIMIT_KEYS),
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


def _decimal(number: float) -> str:
    return str(int(number)) if number == int(number) else repr(number)
