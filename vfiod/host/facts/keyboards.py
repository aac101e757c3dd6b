"""Which input devices have certain keys, and which of them a path leads to.

Kernel: Documentation/input/event-codes.rst; drivers/input/input.c, input_print_bitmap(), writes
what a device has as words of 64 bits, the highest first.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from vfiod.util import sysfs

_WORD = 64
_NODES = "/dev/input/"
# A USB device, which may have several input devices (kernel: Documentation/ABI, sysfs-bus-usb).
_USB = re.compile(r"[0-9]+-[0-9.]+")


def read_keyboards(
    keys: Collection[str], paths: Collection[str], root: Path = Path("/")
) -> Mapping[str, bool]:
    """The nodes of all with all of these keys, by the kernel's names for them; without keys none.

    True for one that is of the same keyboard as a device to which one of the paths leads: many a
    keyboard has one for six keys at once and one for more.
    """
    from evdev import ecodes  # only who names keys needs it

    codes = [ecodes.ecodes[key] for key in keys if key in ecodes.ecodes]
    led_to = {_keyboard(event, root) for path in paths for event in _event(path, root)}
    folder = root / "sys/class/input"
    events = [name for name in sysfs.names(folder) if name.startswith("event")]
    found = [event for event in events if codes and _has(folder / event, codes)]
    return {f"{_NODES}{event}": _keyboard(event, root) in led_to for event in found}


def _has(event: Path, codes: Collection[int]) -> bool:
    words = (sysfs.read(event / "device/capabilities/key") or "").split()
    bits = [int(word, 16) for word in reversed(words)]
    return all(c // _WORD < len(bits) and bits[c // _WORD] >> c % _WORD & 1 for c in codes)


def _event(path: str, root: Path) -> Iterator[str]:
    """The kernel's name of the device that a path leads to, if it is one of input."""
    try:
        name = (root / path.lstrip("/")).resolve().name if path.startswith("/dev/") else ""
    except (OSError, RuntimeError):  # links in a circle
        return
    if name and (root / "sys/class/input" / name).exists():
        yield name


def _keyboard(event: str, root: Path) -> Path:
    """The USB device that an input device is of, or else its own folder."""
    place = (root / "sys/class/input" / event).resolve()
    above = (folder for folder in place.parents if _USB.fullmatch(folder.name))
    return next(above, place.parent)
