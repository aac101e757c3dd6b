"""A session manager on the session's bus, and how one is asked to log out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from vfiod.bus.connection import Bus
from vfiod.errors import HostError, TimedOut

DBUS, DBUS_PATH = "org.freedesktop.DBus", "/org/freedesktop/DBus"
# Tells a person what keeps their desktop from logging out; calls the second if they say "Not now".
# What it returns takes that off the screen.
Tell = Callable[[Sequence[str], Callable[[], None]], Callable[[], None]]
# A bus call to a program of the person's, which may hang.
CALL = 2.0


def tell_nobody(_what: Sequence[str], _declined: Callable[[], None]) -> Callable[[], None]:
    """For a desktop that shows nothing."""
    return lambda: None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of session manager: ``marks`` are bus names one of which it has while it runs.

    ``cancelled`` is a bus name and the signal of its that tells of a cancelled logout. ``asks``:
    whether it asks any program before it ends. ``any_compositor``: on Wayland it runs beside one of
    the person's choice, and asks nobody there.
    """

    marks: tuple[str, ...]
    service: str
    path: str
    method: str
    signature: str = ""
    values: tuple[Any, ...] = ()
    cancelled: tuple[str, str] = ("", "")
    asks: bool = True
    any_compositor: bool = False


class Manager:
    """A session manager that runs. Implements vfiod.tools.goodbye.desktop.Desktop."""

    patience = math.inf

    def __init__(self, bus: Bus, kind: Kind, *, seconds: float, tell: Tell = tell_nobody) -> None:
        self._bus, self._kind, self._seconds, self._tell = bus, kind, seconds, tell
        self._cancelled = False
        self._fault = ""

    @property
    def asks(self) -> bool:
        """Whether programs are asked at its logout, or just end."""
        return self._kind.asks

    @property
    def has_any_compositor(self) -> bool:
        """Whether on Wayland the windows are another's, and nobody asks their programs."""
        return self._kind.any_compositor

    def objects_first(self) -> bool:
        """Whether programs tell it beforehand what would be lost, as they do GNOME."""
        return False

    def begin(self) -> None:
        kind = self._kind
        service, signal = kind.cancelled
        if signal:
            self._bus.subscribe(service, signal, lambda _values: self._note_cancelled())
        self._bus.call_later(
            kind.service, kind.path, kind.method, kind.signature, kind.values, self._answered,
            seconds=self._seconds,
        )  # fmt: skip

    def look(self) -> bool:
        try:
            return not any(has_owner(self._bus, name) for name in self._kind.marks)
        except TimedOut:
            return False
        except HostError:
            return True  # the bus has gone with the session

    def was_cancelled(self) -> bool:
        return self._cancelled

    def has_failed(self) -> bool:
        return bool(self._fault)

    def waits_for(self) -> Sequence[str]:
        return [self._fault] if self._fault else []

    def withdraw(self) -> None:
        """None but GNOME's and Plasma's ends what is left without an answer."""

    def _note_cancelled(self) -> None:
        self._cancelled = True

    def _answered(self, _values: Any, error: HostError | None) -> None:
        """A call without an answer is none that has failed: some never give one."""
        if error is not None and not isinstance(error, TimedOut):
            self._fault = error.message


def has_owner(bus: Bus, name: str) -> bool:
    """True if somebody has this bus name. Raises HostError."""
    return bool(bus.call(DBUS, DBUS_PATH, f"{DBUS}.NameHasOwner", "s", name, seconds=CALL)[0])
