"""What Gio says of a call that failed, as an error for a person."""

from typing import Any

from gi.repository import Gio

from vfiod.errors import CutOff, HostError, TimedOut

# Whom vfiod asks, by the unit that a person can look at.
UNITS = {
    "org.freedesktop.login1": "systemd-logind.service",
    "org.freedesktop.PolicyKit1": "polkit.service",
    "org.vfiod1": "vfiod.service",
}
# Nobody has the name, or who should take it could not be started (dbus-daemon(1), dbus-broker(1):
# a unit that is masked, or a launch helper that fails).
ABSENT = (
    "org.freedesktop.DBus.Error.ServiceUnknown",
    "org.freedesktop.DBus.Error.NameHasNoOwner",
    "org.freedesktop.DBus.Error.Spawn",
    "org.freedesktop.systemd1.",
)
_TIMEOUT = "org.freedesktop.DBus.Error.NoReply"
# Of the same name, but said by the bus at once: "Message recipient disconnected from message bus
# without replying" (dbus-daemon: bus/connection.c), "Remote peer disconnected" (dbus-broker).
_ENDED = "disconnected"
# As systemd itself is for a moment when it is executed anew (systemctl(1), daemon-reexec).
_AWAY = (_TIMEOUT, *ABSENT[:3])


class BusError(HostError):
    """The other side answered with an error; ``name`` is its D-Bus error name."""

    def __init__(self, message: str, name: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.name = name
        self.may_pass = name.startswith(_AWAY)


class Closed(BusError, CutOff):
    """The connection is closed: the bus has ended, and whoever lives by it ends too."""


class Ended(TimedOut):
    """Whoever was asked ended before there was an answer: none comes, as after a time-out."""


def translate(error: Any, service: str, method: str) -> HostError:
    """TimedOut, Ended, Closed, BusError, or that it is not there; the hint names its unit."""
    if error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CLOSED):
        return Closed(error.message, "")
    name = Gio.DBusError.get_remote_error(error) or ""
    timed_out = error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.TIMED_OUT)
    unit = UNITS.get(service, "")
    hint = f"see: systemctl status {unit}" if unit else ""
    if timed_out or name == _TIMEOUT:
        is_ended = not timed_out and _ENDED in error.message
        ended = Ended(f"{unit or service} ended before it answered {method}", hint)
        late = ended if is_ended else TimedOut(f"no answer to {method} in time", hint)
        late.may_pass = True
        return late
    # Gio's own strip_remote_error() works on a copy when it is called from Python.
    text = error.message.removeprefix(f"GDBus.Error:{name}: ")
    if not name.startswith(ABSENT) or name.startswith(service):
        return BusError(text, name)
    who = f"{unit} ({service})" if unit else service
    return BusError(f"{who} does not answer on the system bus: {text}", name, hint)
