"""What the value of a key may be: each reader reports what is wrong and gives None for it. Pure."""

import re
from collections.abc import Callable
from enum import Enum
from typing import TypeVar

from vfiod.config.spared import is_spared
from vfiod.config.yaml_nodes import Value, is_printable, show
from vfiod.model import PciAddress

E = TypeVar("E", bound=Enum)

DISPLAY_MANAGER = "display-manager.service"
MAX_SECONDS = 600
# systemd.unit(5); a template without an instance cannot be started.
MAX_UNIT = 255
_SERVICE = re.compile(r"[A-Za-z0-9:_.\\-]+(?:@[A-Za-z0-9:_.\\@-]+)?\.service")
_KEY = re.compile(r"KEY_[A-Z0-9_]{1,40}")


def choice(choices: type[E]) -> Callable[[Value], E | None]:
    """Reads one of the values of an enumeration."""

    def read(value: Value) -> E | None:
        chosen = value.choice([choice.value for choice in choices])
        return choices(chosen) if chosen else None

    return read


def address(value: Value) -> PciAddress | None:
    expected = "a PCI address as lspci -D shows it, like 0000:01:00.0"
    text = value.text(expected=expected)
    if text is None:
        return None
    try:
        return PciAddress.parse(text)
    except ValueError:
        value.fault(f"{show(text)} is not a PCI address; write {expected}")
        return None


def rom(value: Value) -> str | None:
    expected = "the absolute path of the ROM file, or leave rom out"
    text = value.text(expected=expected)
    if text is not None and not text.startswith("/"):
        value.fault(f"{show(text)} is not absolute; write {expected}")
    elif text is not None and not is_printable(text):
        value.fault(f"control characters in a path; write {expected}")
    return text


def up_to(most: int, *, zero: bool = False) -> Callable[[Value], float | None]:
    """Reads seconds; ``zero``: 0 is one of them."""
    least = "0 for none" if zero else "more than 0"
    expected = f"seconds, {least} and at most {most}, without quotes or unit"

    def read(value: Value) -> float | None:
        number = value.number(expected=expected)
        if number is not None and not (0 < number <= most or (zero and number == 0)):
            value.fault(f"{value.raw[:20]} is out of range; write {expected}")
            return None
        return number

    return read


seconds = up_to(MAX_SECONDS)


def escape_keys(value: Value) -> tuple[str, ...]:
    expected = "names of keys, like KEY_LEFTCTRL (kernel: input-event-codes.h)"
    items = value.items(expected=f"a list of {expected}")
    names = [(item, item.text(expected=expected)) for item in items or []]
    for item, name in names:
        if name is not None and not _KEY.fullmatch(name):
            item.fault(f"{show(name)} is not a key; write {expected}")
    return tuple(name for _, name in names if name)


def stop(value: Value) -> tuple[str, ...]:
    expected = "names of systemd services, like ollama.service"
    items = value.items(expected=f"a list of {expected}")
    found: dict[str, None] = {}
    for item in items or []:
        name = item.text(expected=expected)
        if name is not None and not (_SERVICE.fullmatch(name) and len(name) <= MAX_UNIT):
            item.fault(f"{show(name)} is not a service; write {expected}")
        elif name is not None and is_spared(name, ()):
            item.fault(f"{show(name)} is never stopped; leave it out")
        elif name is not None:
            found[name] = None
    return tuple(found)


def display_manager(value: Value) -> str | None:
    expected = f"the name of a systemd service, like {DISPLAY_MANAGER}"
    text = value.text(expected=expected)
    if text is not None and not (_SERVICE.fullmatch(text) and len(text) <= MAX_UNIT):
        value.fault(f"{show(text)} is not a service; write {expected}")
    return text or None
