"""Keys that end the guest while the screen is its: the power button, and keys of one's choice.

Only read while a guest has the devices (kernel: Documentation/input/event-codes.rst). What is
typed is looked at only if the configuration names keys, and never kept.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import evdev
from evdev import ecodes
from gi.repository import GLib

from vfiod.util.unixloop import on_fd

# A keyboard may have a power key too; a power button has few others.
_FEW = 8
_PRESSED = 1


class Buttons:
    """The input devices that are listened to, each on the GLib main loop."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[Any, int]] = {}

    def listen(self, names: Sequence[str], then: Callable[[], object]) -> None:
        """Call ``then`` at each press of a power button, or of all the named keys together."""
        wanted = frozenset(ecodes.ecodes[name] for name in names if name in ecodes.ecodes)
        if self._open:
            return
        for device in _devices():
            keys = frozenset(device.capabilities().get(ecodes.EV_KEY, ()))
            chord = _power(keys) or (wanted if wanted and wanted <= keys else frozenset())
            if chord:
                self._watch(device, chord, then)
            else:
                device.close()

    def ignore(self) -> None:
        """Listen no more."""
        while self._open:
            _, (device, source) = self._open.popitem()
            GLib.source_remove(source)
            device.close()

    def _watch(self, device: Any, chord: frozenset[int], then: Callable[[], object]) -> None:
        def readable(fd: int, _condition: Any) -> bool:
            try:
                pressed = any(_completes(event, device, chord) for event in device.read())
            except OSError:  # unplugged
                self._open.pop(fd, None)
                device.close()
                return bool(GLib.SOURCE_REMOVE)
            if pressed:
                then()
            return bool(GLib.SOURCE_CONTINUE)

        condition = GLib.IOCondition.IN | GLib.IOCondition.HUP
        self._open[device.fd] = (device, on_fd(device.fd, condition, readable))


def _devices() -> Iterator[Any]:
    for path in evdev.list_devices():
        # It may be gone by now, or be somebody else's alone.
        with suppress(OSError):
            yield evdev.InputDevice(path)


def _power(keys: frozenset[int]) -> frozenset[int]:
    is_button = ecodes.KEY_POWER in keys and len(keys) <= _FEW
    return frozenset({ecodes.KEY_POWER}) if is_button else frozenset()


def _completes(event: Any, device: Any, chord: frozenset[int]) -> bool:
    """True if this press is the last of the keys that are wanted together."""
    is_press = event.type == ecodes.EV_KEY and event.value == _PRESSED and event.code in chord
    return is_press and (len(chord) == 1 or chord <= set(device.active_keys()))
