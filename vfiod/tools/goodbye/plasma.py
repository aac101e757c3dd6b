"""Plasma: plasma-workspace, startkde/plasma-shutdown.

org.kde.Shutdown is started by the bus, has ksmserver ask its clients and KWin close the windows of
Wayland's programs (KWin: sm.cpp), and ends when that is done or was cancelled. Two minutes after
it was asked KWin calls it done whatever is open, and the helper ends the session. So the helper is
ended before, and ksmserver told what it would be after a no of KWin's (ksmserver, resetLogout()).
"""

import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from vfiod.bus.connection import Bus
from vfiod.errors import HostError
from vfiod.tools.goodbye.compositors import send
from vfiod.tools.goodbye.manager import (
    CALL,
    DBUS,
    DBUS_PATH,
    Kind,
    Manager,
    Tell,
    has_owner,
    tell_nobody,
)

_HELPER = "org.kde.Shutdown"
KIND = Kind(("org.kde.ksmserver", "org.kde.plasmashell"), _HELPER, "/Shutdown", f"{_HELPER}.logout")
# The helper ends before the desktop does. If that is still there so long after, and systemd does
# not say that it is ending, the person has cancelled.
_SETTLE = 15.0
_KWIN_WAITS, _PATIENCE = 120.0, 110.0
_KSMSERVER = ("org.kde.ksmserver", "/KSMServer", "org.kde.KSMServerInterface.resetLogout")
_SYSTEMD = "org.freedesktop.systemd1"
_DESKTOP = "/org/freedesktop/systemd1/unit/graphical_2dsession_2etarget"


class Plasma(Manager):
    """Implements vfiod.tools.goodbye.desktop.Desktop."""

    patience = _PATIENCE

    def __init__(
        self,
        bus: Bus,
        kind: Kind,
        *,
        seconds: float,
        tell: Tell = tell_nobody,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(bus, kind, seconds=seconds, tell=tell)
        self._clock = clock
        self._helper_seen = False
        self._helper_left: float | None = None
        self._was_up = False
        self._asked: float | None = None

    def begin(self) -> None:
        self._was_up = self._is_up()
        self._asked = self._clock()
        super().begin()

    def was_cancelled(self) -> bool:
        with suppress(HostError):  # the bus goes with the session, which look() sees
            return self._helper_has_given_up()
        return False

    def waits_for(self) -> Sequence[str]:
        found = [*super().waits_for()]
        if self._asked is not None and self._clock() - self._asked >= _PATIENCE:
            found.append(f"KWin would have ended all {_KWIN_WAITS:g} s after it was asked")
        return found

    def withdraw(self) -> None:
        if self._asked is None:
            return
        of_name = f"{DBUS}.GetConnectionUnixProcessID"
        with suppress(HostError):  # it has ended
            (pid,) = self._bus.call(DBUS, DBUS_PATH, of_name, "s", _HELPER, seconds=CALL)
            send(pid, signal.SIGTERM)
        with suppress(HostError):
            self._bus.call(*_KSMSERVER, seconds=CALL)

    def _helper_has_given_up(self) -> bool:
        if has_owner(self._bus, _HELPER):
            self._helper_seen, self._helper_left = True, None
        elif self._helper_seen and self._helper_left is None:
            self._helper_left = self._clock()
        left = self._helper_left
        is_long_gone = left is not None and self._clock() - left > _SETTLE
        return is_long_gone and not self._is_ending()

    def _is_ending(self) -> bool:
        """As its target says; a desktop that systemd has not begun does not tell."""
        return self._was_up and not self._is_up()

    def _is_up(self) -> bool:
        get, wanted = "org.freedesktop.DBus.Properties.Get", (f"{_SYSTEMD}.Unit", "ActiveState")
        try:
            answer = self._bus.call(_SYSTEMD, _DESKTOP, get, "ss", *wanted, seconds=CALL)
        except HostError:
            return False
        return bool(answer[0] == "active")
