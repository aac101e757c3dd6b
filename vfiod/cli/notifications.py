"""Notifications of the desktop (org.freedesktop.Notifications, over the session's bus)."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from gi.repository import GLib

from vfiod.bus.calls import variant
from vfiod.bus.connection import Bus
from vfiod.errors import HostError

_SERVICE = "org.freedesktop.Notifications"
_PATH = "/org/freedesktop/Notifications"
_ICON = "computer"
_CLOSING = 2.0
_NEVER, _BY_ITSELF = 0, -1
_LOW, _CRITICAL = 1, 2


class Notifications:
    """The desktop's. Raises HostError if the session has no bus, or nobody shows them."""

    def __init__(self) -> None:
        self._bus = Bus(of_session=True)
        self._capabilities: Sequence[str] = self._call("GetCapabilities")[0]

    @property
    def has_actions(self) -> bool:
        """True if a person can answer one."""
        return "actions" in self._capabilities

    def show(self, summary: str, body: str, *, urgent: bool = False) -> int:
        """Show one; its number."""
        return self._show(summary, body, {}, urgent=urgent)

    def ask(
        self, summary: str, body: str, actions: Mapping[str, str], *, seconds: int, urgent: bool
    ) -> str:
        """Show one with buttons, and give the key of the one pressed; empty if none was in time."""
        loop, chosen = GLib.MainLoop(), [""]
        mine = [-1]

        def pressed(values: Sequence[Any]) -> None:
            if values[0] == mine[0]:
                chosen[0] = str(values[1])
                loop.quit()

        def closed(values: Sequence[Any]) -> None:
            if values[0] == mine[0]:
                loop.quit()

        self._bus.subscribe(_SERVICE, f"{_SERVICE}.ActionInvoked", pressed)
        self._bus.subscribe(_SERVICE, f"{_SERVICE}.NotificationClosed", closed)
        GLib.timeout_add_seconds(seconds, loop.quit)
        mine[0] = self._show(summary, body, actions, urgent=urgent)
        loop.run()
        self._close(mine[0])
        return chosen[0]

    def put(
        self, summary: str, body: str, actions: Mapping[str, str], pressed: Callable[[str], None]
    ) -> Callable[[], None]:
        """Show one with buttons; ``pressed`` gets the key of each one pressed, in the main loop.

        What is returned takes it off the screen.
        """
        mine = [-1]

        def heard(values: Sequence[Any]) -> None:
            if values[0] == mine[0]:
                pressed(str(values[1]))

        self._bus.subscribe(_SERVICE, f"{_SERVICE}.ActionInvoked", heard)
        mine[0] = self._show(summary, body, actions, urgent=True)
        return lambda: self._close(mine[0])

    def _close(self, number: int) -> None:
        with suppress(HostError):  # what is answered, or too late, is of no use on the screen
            close = f"{_SERVICE}.CloseNotification"
            self._bus.call(_SERVICE, _PATH, close, "u", number, seconds=_CLOSING)

    def _show(self, summary: str, body: str, actions: Mapping[str, str], *, urgent: bool) -> int:
        hints = {"urgency": variant("y", _CRITICAL if urgent else _LOW)}
        lasting = _NEVER if urgent else _BY_ITSELF
        pairs = [text for pair in actions.items() for text in pair]
        values = ("vfiod", 0, _ICON, summary, body, pairs, hints, lasting)
        return int(self._call("Notify", "susssasa{sv}i", *values)[0])

    def _call(self, method: str, signature: str = "", *values: Any) -> Any:
        return self._bus.call(_SERVICE, _PATH, f"{_SERVICE}.{method}", signature, *values)


def find() -> Notifications | None:
    """The desktop's notifications, if it shows any."""
    try:
        return Notifications()
    except HostError:
        return None
