"""logind's sessions and inhibitors over D-Bus (org.freedesktop.login1(5))."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from gi.repository import GLib

from vfiod.bus.connection import Bus
from vfiod.bus.errors import BusError
from vfiod.bus.gone import is_gone
from vfiod.errors import HostError
from vfiod.host.linux.process import Programs
from vfiod.host.linux.sleep_file import SleepFile
from vfiod.host.systemd import Inhibitor
from vfiod.model import Session
from vfiod.util import sysfs

SERVICE = "org.freedesktop.login1"
PATH = "/org/freedesktop/login1"
MANAGER = f"{SERVICE}.Manager"
WHAT = "sleep:handle-power-key:handle-suspend-key:handle-hibernate-key:handle-lid-switch"
# Newer than the others: a systemd that does not know it refuses all of a lock that names it.
REBOOT_KEY = "handle-reboot-key"
# A host without a session is idle, and since when counts from its boot (systemd: logind-dbus.c,
# manager_get_idle_hint). A logind that looks at once when this ends (logind-inhibit.c,
# inhibitor_stop) must find the login screen, which takes a moment.
IDLE = "idle"
IDLE_SECONDS = 60
_PROPERTIES = ("Class", "Type", "Scope", "VTNr", "Leader", "Desktop", "State")
# Of the fields of an account, the home; for a program to name it.
_HOME, _LOOK = 5, 5.0
_GRAPHICAL = frozenset({"x11", "wayland", "mir"})


def _after(seconds: int, then: Callable[[], None]) -> None:
    """Have it called once, in the main loop."""

    def call() -> bool:
        then()
        return bool(GLib.SOURCE_REMOVE)

    GLib.timeout_add_seconds(seconds, call)


class LinuxLogins:
    """Implements vfiod.host.door.Logins. The main loop must run: it ends a lock after a time."""

    def __init__(
        self,
        bus: Bus,
        root: Path = Path("/"),
        after: Callable[[int, Callable[[], None]], None] = _after,
    ) -> None:
        self._bus = bus
        # Its own: one that is late is no device that is stuck.
        self._programs = Programs()
        self._after = after
        self._inhibitor: int | None = None
        self._idle: int | None = None
        self._sleep_file = SleepFile(root)

    def sessions(self) -> Sequence[Session]:
        rows = self._bus.call(SERVICE, PATH, f"{MANAGER}.ListSessions")[0]
        each = self._bus.get_each(
            SERVICE, [row[-1] for row in rows], f"{SERVICE}.Session", _PROPERTIES
        )
        # One may have ended between the list and the look.
        return [
            Session(
                ident=ident,
                user=user,
                uid=uid,
                seat=seat,
                kind=values["Class"],
                graphical=values["Type"] in _GRAPHICAL,
                unit=values["Scope"],
                terminal=int(values["VTNr"]),
                leader=int(values["Leader"]),
                desktop=values["Desktop"],
                closing=values["State"] == "closing",
            )
            for (ident, uid, user, seat, _), values in zip(rows, each, strict=True)
            if values is not None
        ]

    def terminate(self, ident: str) -> None:
        try:
            self._bus.call(SERVICE, PATH, f"{MANAGER}.TerminateSession", "s", ident)
        except BusError as error:
            if not error.name.endswith("NoSuchSession"):
                raise HostError(f"logind will not end session {ident}: {error.message}") from error

    def inhibitors(self) -> Sequence[Inhibitor]:
        rows = self._bus.call(SERVICE, PATH, f"{MANAGER}.ListInhibitors")[0]
        return [
            Inhibitor(
                what=frozenset(what.split(":")),
                who=sysfs.printable(who),
                why=sysfs.printable(why),
                mode=mode,
                uid=uid,
                pid=pid,
            )
            for what, who, why, mode, uid, pid in rows
        ]

    def lingers(self, uid: int) -> bool:
        try:
            path = self._bus.call(SERVICE, PATH, f"{MANAGER}.GetUser", "u", uid)[0]
            return bool(self._bus.get(SERVICE, path, f"{SERVICE}.User.Linger"))
        except BusError as error:
            # Who is taken for one who does not linger loses what runs without a screen.
            if not is_gone(error):
                raise
            return False

    def user_name(self, uid: int) -> str:
        try:
            path = self._bus.call(SERVICE, PATH, f"{MANAGER}.GetUser", "u", uid)[0]
            return str(self._bus.get(SERVICE, path, f"{SERVICE}.User.Name"))
        except BusError:
            return f"user {uid}"

    def home(self, uid: int) -> str:
        """By a program with a deadline: a directory (sssd, LDAP) may never answer (passwd(5))."""
        try:
            said = self._programs.run(
                ["getent", "passwd", str(uid)], subject=f"home of {uid}", seconds=_LOOK
            )
        except HostError:
            return ""
        return [*said.split(":"), *[""] * _HOME][_HOME]

    def inhibit(self, why: str) -> None:
        if self._idle is None:
            self._idle = self._take(IDLE, why)
        if self._inhibitor is None:
            self._inhibitor = self._take_keys(why)
        self._sleep_file.forbid()

    def uninhibit(self) -> None:
        """Sleep and keys at once, being idle a little later."""
        if self._inhibitor is not None:
            os.close(self._inhibitor)
            self._inhibitor = None
        if self._idle is not None:
            self._after(IDLE_SECONDS, partial(os.close, self._idle))
            self._idle = None
        try:
            self._sleep_file.allow()
        except OSError as error:
            raise HostError(f"sleep cannot be allowed again: {error.strerror}") from error

    def _take_keys(self, why: str) -> int:
        try:
            return self._take(f"{WHAT}:{REBOOT_KEY}", why)
        except BusError as error:
            if not error.name.endswith(".InvalidArgs"):
                raise
            return self._take(WHAT, why)

    def _take(self, what: str, why: str) -> int:
        """The lock's descriptor, with which it ends."""
        method = f"{MANAGER}.Inhibit"
        return self._bus.call_for_fd(SERVICE, PATH, method, "ssss", what, "vfiod", why, "block")
