"""The command line's word for a service that gives no answer."""

from typing import Any, cast

import pytest
from gi.repository import Gio

from vfiod.bus.connection import Bus
from vfiod.bus.errors import translate
from vfiod.cli.client import NAME, Client
from vfiod.errors import TimedOut

GONE = (
    "Message recipient disconnected from message bus without replying",  # dbus-daemon
    "Remote peer disconnected",  # dbus-broker
)
LOGIND = "org.freedesktop.login1"


def _ended(text: str) -> Exception:
    """As Gio makes it of an error that the bus sends."""
    error: Exception = Gio.DBusError.new_for_dbus_error("org.freedesktop.DBus.Error.NoReply", text)
    return error


class _Silent:
    """A bus on which nobody answers."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def call(self, name: str, _path: str, method: str, *_values: Any, seconds: float) -> Any:
        raise translate(self._error, name, method)


def _late() -> Exception:
    from gi.repository import GLib

    error: Exception = GLib.Error.new_literal(
        Gio.io_error_quark(), "Timeout was reached", Gio.IOErrorEnum.TIMED_OUT
    )
    return error


def _told(error: Exception, method: str) -> str:
    with pytest.raises(TimedOut) as told:
        getattr(Client(cast(Bus, _Silent(error))), method)()
    return str(told.value)


@pytest.mark.parametrize("text", GONE)
def test_a_service_that_dies_at_work(text: str) -> None:
    assert _told(_ended(text), "return_devices") == (
        "the vfiod service ended at work\n    it is started again and goes on: vfiod status"
    )


def test_a_service_that_takes_longer() -> None:
    assert _told(_late(), "return_devices") == (
        "no answer to org.vfiod1.Manager.Return in time\n"
        "    it is still at work; what it does: vfiod status"
    )


def test_a_service_that_does_not_even_say_how_it_is() -> None:
    assert _told(_late(), "status").endswith("see: systemctl status vfiod.service")


@pytest.mark.parametrize("text", GONE)
def test_another_service_that_dies_may_answer_its_successor_s_caller(text: str) -> None:
    found = translate(_ended(text), LOGIND, "ListSessions")
    assert isinstance(found, TimedOut)
    assert found.may_pass
    assert found.message == "systemd-logind.service ended before it answered ListSessions"
    assert translate(_late(), NAME, "Status").message == "no answer to Status in time"
