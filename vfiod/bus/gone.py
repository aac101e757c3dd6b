"""Whether an error says that something is not there (any more), or that nobody could be asked.

The difference matters: who is taken for gone is not asked, waited for or spared.
"""

from vfiod.bus.errors import BusError

_DBUS = "org.freedesktop.DBus.Error"
_LOGIND, _SYSTEMD = "org.freedesktop.login1", "org.freedesktop.systemd1"
# sd-bus and GDBus say the first two of an object, dbus-python the third. Of a process sd-bus makes
# the fourth of ESRCH.
_GONE = frozenset(
    {
        f"{_DBUS}.UnknownObject", f"{_DBUS}.UnknownInterface", f"{_DBUS}.UnknownMethod",
        f"{_DBUS}.UnixProcessIdUnknown",
        f"{_LOGIND}.NoSuchSession", f"{_LOGIND}.NoSuchUser",
        f"{_SYSTEMD}.NoSuchUnit", f"{_SYSTEMD}.NoSuchProcess",
    }
)  # fmt: skip


def is_gone(error: BusError) -> bool:
    """As an object, a session, a user, a unit or a process that has ended."""
    return error.name in _GONE
