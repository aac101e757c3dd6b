"""Session managers on the session's bus, and how each is asked to log out.

Where the calls come from (all looked up in the sources):

- GNOME, Cinnamon, MATE, Budgie: gnome-session, gsm-manager.c and org.gnome.SessionManager.xml, and
  their copies. Logout(1), "no confirmation", asks every client and shows a dialog only if one of
  them objects; gnome-shell's dialog tells of its Cancel (js/ui/endSessionDialog.js).
- Plasma: plasma-workspace, startkde/plasma-shutdown. org.kde.Shutdown is started by the bus, has
  ksmserver ask its clients and KWin close the windows of Wayland's programs (KWin: sm.cpp), and
  ends when that is done or was cancelled.
- Xfce: xfce4-session, xfsm-manager-dbus.xml. A client that is answered with Cancel takes the
  logout back, and ShutdownCancelled tells so (xfsm-manager.c).
- LXQt: lxqt-session, sessiondbusadaptor.h; logout() is not answered (Q_NOREPLY).
- COSMIC: cosmic-session, src/service.rs.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from vfiod.bus.connection import Bus
from vfiod.errors import HostError, TimedOut

_DBUS, _DBUS_PATH = "org.freedesktop.DBus", "/org/freedesktop/DBus"
_GNOME, _GNOME_PATH = "org.gnome.SessionManager", "/org/gnome/SessionManager"
_XFCE = "org.xfce.Session.Manager"
_LOGOUT_FLAG = 1  # GSM_INHIBITOR_FLAG_LOGOUT
_MOST = 10
# A bus call to a program of the person's, which may hang.
_CALL = 2.0
# Plasma's helper ends before the desktop does. If that is still there so long after, and systemd
# does not say that it is ending, the person has cancelled.
_SETTLE = 15.0
_SYSTEMD = "org.freedesktop.systemd1"
_DESKTOP = "/org/freedesktop/systemd1/unit/graphical_2dsession_2etarget"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of session manager: ``marks`` are bus names one of which it has while it runs.

    ``cancelled`` is a bus name and the signal of its that tells of a cancelled logout; ``helper``
    a name that is there only during a logout.
    """

    marks: tuple[str, ...]
    service: str
    path: str
    method: str
    signature: str = ""
    values: tuple[Any, ...] = ()
    cancelled: tuple[str, str] = ("", "")
    helper: str = ""


# LXQt runs with anybody's window manager, KWin for one; so it is first.
KINDS = (
    Kind(("org.lxqt.session",), "org.lxqt.session", "/LXQtSession", "org.lxqt.session.logout"),
    Kind(
        ("org.kde.ksmserver", "org.kde.plasmashell"),
        "org.kde.Shutdown", "/Shutdown", "org.kde.Shutdown.logout", helper="org.kde.Shutdown",
    ),
    Kind(
        ("org.xfce.SessionManager",),
        "org.xfce.SessionManager", "/org/xfce/SessionManager", f"{_XFCE}.Logout", "bb",
        (False, True), ("org.xfce.SessionManager", f"{_XFCE}.ShutdownCancelled"),
    ),
    Kind(
        ("com.system76.CosmicSession",),
        "com.system76.CosmicSession", "/com/system76/CosmicSession",
        "com.system76.CosmicSession.Exit",
    ),
    Kind(
        (_GNOME,), _GNOME, _GNOME_PATH, f"{_GNOME}.Logout", "u", (1,),
        ("org.gnome.Shell", f"{_GNOME}.EndSessionDialog.Canceled"),
    ),
)  # fmt: skip


class Manager:
    """A session manager that runs. Implements vfiod.tools.goodbye.desktop.Desktop."""

    def __init__(self, bus: Bus, kind: Kind, *, seconds: float) -> None:
        self._bus, self._kind, self._seconds = bus, kind, seconds
        self._cancelled = False
        self._fault = ""
        self._helper_seen = False
        self._helper_left: float | None = None
        self._was_up = False

    def begin(self) -> None:
        kind = self._kind
        self._was_up = bool(kind.helper) and self._is_up()
        service, signal = kind.cancelled
        if signal:
            self._bus.subscribe(service, signal, lambda _values: self._note_cancelled())
        self._bus.call_later(
            kind.service, kind.path, kind.method, kind.signature, kind.values, self._answered,
            seconds=self._seconds,
        )  # fmt: skip

    def look(self) -> bool:
        try:
            return not any(_has_owner(self._bus, name) for name in self._kind.marks)
        except TimedOut:
            return False
        except HostError:
            return True  # the bus has gone with the session

    def was_cancelled(self) -> bool:
        return self._cancelled or self._helper_has_given_up()

    def has_failed(self) -> bool:
        return bool(self._fault)

    def waits_for(self) -> Sequence[str]:
        found = [self._fault] if self._fault else []
        with suppress(HostError):
            found += self._inhibitors() if self._kind.service == _GNOME else []
        return found

    def _note_cancelled(self) -> None:
        self._cancelled = True

    def _answered(self, _values: Any, error: HostError | None) -> None:
        """A call without an answer is none that has failed: some never give one."""
        if error is not None and not isinstance(error, TimedOut):
            self._fault = error.message

    def _helper_has_given_up(self) -> bool:
        if not self._kind.helper:
            return False
        if _has_owner(self._bus, self._kind.helper):
            self._helper_seen, self._helper_left = True, None
        elif self._helper_seen and self._helper_left is None:
            self._helper_left = time.monotonic()
        left = self._helper_left
        is_long_gone = left is not None and time.monotonic() - left > _SETTLE
        return is_long_gone and not self._is_ending()

    def _is_ending(self) -> bool:
        """As its target says; a desktop that systemd has not begun does not tell."""
        return self._was_up and not self._is_up()

    def _is_up(self) -> bool:
        get, wanted = "org.freedesktop.DBus.Properties.Get", (f"{_SYSTEMD}.Unit", "ActiveState")
        try:
            answer = self._bus.call(_SYSTEMD, _DESKTOP, get, "ss", *wanted, seconds=_CALL)
        except HostError:
            return False
        return bool(answer[0] == "active")

    def _inhibitors(self) -> list[str]:
        """Those of gnome-session that object to a logout: the program and its reason."""
        paths = self._call(_GNOME_PATH, f"{_GNOME}.GetInhibitors")[0]
        return [self._inhibitor(path) for path in paths[:_MOST] if self._objects(path)]

    def _objects(self, path: str) -> bool:
        return bool(self._call(path, f"{_GNOME}.Inhibitor.GetFlags")[0] & _LOGOUT_FLAG)

    def _inhibitor(self, path: str) -> str:
        program = self._call(path, f"{_GNOME}.Inhibitor.GetAppId")[0]
        reason = self._call(path, f"{_GNOME}.Inhibitor.GetReason")[0]
        return f"{program} ({reason})" if reason else str(program)

    def _call(self, path: str, method: str) -> Any:
        return self._bus.call(_GNOME, path, method, seconds=_CALL)


def find(bus: Bus, *, seconds: float) -> Manager | None:
    """The session manager on this bus, if there is one that is known. Raises HostError."""
    for kind in KINDS:
        if any(_has_owner(bus, name) for name in kind.marks):
            return Manager(bus, kind, seconds=seconds)
    return None


def _has_owner(bus: Bus, name: str) -> bool:
    return bool(bus.call(_DBUS, _DBUS_PATH, f"{_DBUS}.NameHasOwner", "s", name, seconds=_CALL)[0])
