"""Whether an error says that something is not there (any more), or that nobody could be asked.

The difference matters: who is taken for gone is not asked, waited for or spared.
"""

from vfiod.bus.errors import BusError

_DBUS = "org.freedesktop.DBus.Error"
_LOGIND = "org.freedesktop.login1"
# sd-bus and GDBus say the first two of an object, dbus-python the third.
_GONE = frozenset(
    {
        f"{_DBUS}.UnknownObject", f"{_DBUS}.UnknownInterface", f"{_DBUS}.UnknownMethod",
        f"{_LOGIND}.NoSuchSession", f"{_LOGIND}.NoSuchUser", "org.freedesktop.systemd1.NoSuchUnit",
    }
)  # fmt: skip


def is_gone(error: BusError) -> bool:
    """As an object, a session, a user or a unit that has ended."""
    return error.name in _GONE
