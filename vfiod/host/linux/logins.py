"""logind's sessions and inhibitors over D-Bus (org.freedesktop.login1(5))."""

import os
from collections.abc import Sequence
from pathlib import Path

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
_PROPERTIES = ("Class", "Type", "Scope", "VTNr", "Leader", "Desktop", "State")
# Of the fields of an account, the home; for a program to name it.
_HOME, _LOOK = 5, 5.0
_GRAPHICAL = frozenset({"x11", "wayland", "mir"})


class LinuxLogins:
    """Implements vfiod.host.door.Logins."""

    def __init__(self, bus: Bus, root: Path = Path("/")) -> None:
        self._bus = bus
        # Its own: one that is late is no device that is stuck.
        self._programs = Programs()
        self._inhibitor: int | None = None
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
        if self._inhibitor is None:
            self._inhibitor = self._bus.call_for_fd(
                SERVICE, PATH, f"{MANAGER}.Inhibit", "ssss", WHAT, "vfiod", why, "block"
            )
        self._sleep_file.forbid()

    def uninhibit(self) -> None:
        if self._inhibitor is not None:
            os.close(self._inhibitor)
            self._inhibitor = None
        try:
            self._sleep_file.allow()
        except OSError as error:
            raise HostError(f"sleep cannot be allowed again: {error.strerror}") from error
