"""The daemon as the command line sees it over the bus."""

import json
from collections.abc import Callable
from typing import Any

from vfiod.bus import ABSENT, Bus, BusError
from vfiod.errors import (
    Busy,
    ConfigError,
    DomainError,
    HostError,
    KernelStuck,
    NotAuthorized,
    Refused,
    RomError,
    Stuck,
    TimedOut,
    UnknownGuest,
    Unreachable,
    VfiodError,
    parts_of,
)

NAME = "org.vfiod1"
PATH = "/org/vfiod1"
MANAGER = "org.vfiod1.Manager"
RETURN_SECONDS = 600.0  # a recovery is long
_CLASSES: dict[str, type[VfiodError]] = {
    kind.dbus_name: kind
    for kind in (
        *(Busy, DomainError, HostError, KernelStuck, NotAuthorized),
        *(RomError, Stuck, TimedOut, UnknownGuest),
    )
}


class Client:
    """Calls the daemon; every error of the daemon's comes out as its own class again."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def status(self) -> dict[str, Any]:
        """The daemon's state. Raises Unreachable if it does not answer."""
        facts: dict[str, Any] = json.loads(self._call("Status", seconds=5)[0])
        return facts

    def return_devices(self, *, force: bool = False) -> None:
        """Have the devices given back to the host; returns when they are."""
        self._call("Return", "b", force, seconds=RETURN_SECONDS)

    def rehearse(self, guest: str, xml: str, *, keep_desktop: bool) -> None:
        """Have the devices moved away and back; returns when they are back."""
        self._call("Rehearse", "ssb", guest, xml, keep_desktop, seconds=RETURN_SECONDS)

    def on_progress(self, then: Callable[[str], None]) -> None:
        """Have ``then`` called with each message while a main loop runs."""
        self._bus.subscribe(NAME, f"{MANAGER}.Progress", lambda values: then(values[3]))

    def _call(self, method: str, signature: str = "", *values: Any, seconds: float) -> Any:
        try:
            return self._bus.call(
                NAME, PATH, f"{MANAGER}.{method}", signature, *values, seconds=seconds
            )
        except BusError as error:
            raise _translate_error(error) from error


def _translate_error(error: BusError) -> VfiodError:
    if error.name.startswith(ABSENT):
        return Unreachable(error.message, error.hint)
    parts = parts_of(error.message)
    if error.name == Refused.dbus_name:
        return Refused(parts)
    if error.name == ConfigError.dbus_name:
        return ConfigError([f"{part.message}; {part.hint}" for part in parts])
    kind = _CLASSES.get(error.name, HostError)
    hints = filter(None, (part.hint for part in parts))
    return kind("\n".join(part.message for part in parts), "\n".join(hints))
