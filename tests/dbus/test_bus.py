"""Asking several objects at once, on a real bus with dbusmock's logind."""

import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.dbus.bus import DBUS, ROOT, PrivateBus, until
from vfiod.bus import connection as bus_module
from vfiod.bus.connection import Bus
from vfiod.bus.errors import BusError, Closed
from vfiod.errors import TimedOut

LOGIND, SESSION = "org.freedesktop.login1", "org.freedesktop.login1.Session"
SESSIONS = [f"/org/freedesktop/login1/session/{ident}" for ident in ("2", "3", "c1")]


class Logind:
    """dbusmock's logind with a session for each of SESSIONS."""

    def __init__(self, private: PrivateBus) -> None:
        self._private = private
        self.process = private.mock("logind", LOGIND)
        for number, path in enumerate(SESSIONS):
            session = (path.rpartition("/")[2], "seat0", 1000 + number, f"user{number}", True)
            self._call("AddSession", "ssusb", *session)

    def _call(self, method: str, signature: str, *values: Any) -> None:
        path, interface = "/org/freedesktop/login1", "org.freedesktop.DBus.Mock"
        self._private.begin_at(LOGIND, path, interface, method, signature, *values).result()


@pytest.fixture
def logind(open_bus: PrivateBus) -> Iterator[Logind]:
    mock = Logind(open_bus)
    yield mock
    open_bus.end(mock.process)


@pytest.fixture
def ours(open_bus: PrivateBus) -> Bus:
    """A Bus of this process; its own constructor takes the one connection a process has."""
    bus = Bus.__new__(Bus)
    bus._connection = open_bus.connection
    return bus


@pytest.mark.usefixtures("logind")
def test_each_object_answers_for_itself(ours: Bus) -> None:
    found = ours.get_each(LOGIND, SESSIONS, SESSION, ("Id", "Class"))
    assert found == [{"Id": ident, "Class": "user"} for ident in ("2", "3", "c1")]


@pytest.mark.usefixtures("logind")
def test_what_is_not_there_is_left_out(ours: Bus) -> None:
    gone = "/org/freedesktop/login1/session/9"
    found = ours.get_each(LOGIND, [gone, SESSIONS[1]], SESSION, ("Id", "NoSuch"))
    assert found == [None, {"Id": "3"}]
    assert ours.get_each(LOGIND, [], SESSION, ("Id",)) == []


@pytest.mark.usefixtures("logind")
def test_an_object_by_two_names_of_it(ours: Bus) -> None:
    twice = [SESSIONS[0], SESSIONS[0]]
    assert ours.get_each(LOGIND, twice, SESSION, ("Id",)) == [{"Id": "2"}, {"Id": "2"}]


def test_no_answer_is_not_taken_for_an_object_that_is_gone(
    ours: Bus, logind: Logind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "CALL_SECONDS", 0.2)
    logind.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(TimedOut, match="no answer to GetAll"):
            ours.get_each(LOGIND, SESSIONS, SESSION, ("Id",))
    finally:
        logind.process.send_signal(signal.SIGCONT)


def test_who_goes_away_in_the_middle_is_not_taken_for_objects_that_are_gone(
    ours: Bus, logind: Logind
) -> None:
    """As a logind that ends between its list of sessions and the look at each."""
    logind.process.kill()
    has_owner = (DBUS, "/org/freedesktop/DBus", f"{DBUS}.NameHasOwner", "s", LOGIND)
    until(lambda: not ours.call(*has_owner)[0], "the end of logind")
    with pytest.raises(BusError, match=r"systemd-logind\.service .* does not answer"):
        ours.get_each(LOGIND, SESSIONS, SESSION, ("Id",))


@pytest.mark.parametrize(
    ("name", "is_gone"),
    [("org.freedesktop.DBus.Error.UnknownObject", True),
     ("org.freedesktop.DBus.Error.UnknownInterface", True),
     ("org.freedesktop.DBus.Error.UnknownMethod", True),
     (f"{LOGIND}.NoSuchSession", True), (f"{LOGIND}.NoSuchUser", True),
     ("org.freedesktop.systemd1.NoSuchUnit", True),
     ("org.freedesktop.systemd1.NoSuchProcess", True),
     ("org.freedesktop.DBus.Error.UnixProcessIdUnknown", True),
     ("org.freedesktop.DBus.Error.AccessDenied", False),
     ("org.freedesktop.DBus.Error.LimitsExceeded", False),
     ("org.freedesktop.DBus.Error.Disconnected", False), ("", False)],
)  # fmt: skip
def test_which_errors_say_that_an_object_is_gone(*, name: str, is_gone: bool) -> None:
    error = BusError("so it is", name)
    if is_gone:
        assert bus_module._pick(error, ("Id",)) is None
    else:
        with pytest.raises(BusError, match="so it is"):
            bus_module._pick(error, ("Id",))


def test_a_connection_that_is_closed_is_not_taken_for_an_object_that_is_gone() -> None:
    with pytest.raises(Closed):
        bus_module._pick(Closed("The connection is closed", ""), ("Id",))


# Which connection


_CONNECTS = """
import sys
if sys.argv[1] == "without pydbus":
    sys.modules["pydbus"] = None
if sys.argv[1] == "a pydbus that fails":
    class Broken:
        def find_spec(self, name, *_):
            if name == "pydbus":
                raise AttributeError("it was written for another PyGObject")
    sys.meta_path.insert(0, Broken())
from vfiod.bus import connection as bus
name = bus.Bus().call("org.freedesktop.DBus", "/org/freedesktop/DBus",
                      "org.freedesktop.DBus.ListNames")[0][0]
print(name, "pydbus" if bus.pydbus else "Gio")
"""


@pytest.mark.parametrize(
    ("how", "through"),
    [("as installed", "pydbus"), ("without pydbus", "Gio"), ("a pydbus that fails", "Gio")],
)
def test_the_connection_is_pydbus_or_else_gio_s(
    open_bus: PrivateBus, how: str, through: str
) -> None:
    done = subprocess.run(
        ["/usr/bin/python3", "-c", _CONNECTS, how],
        cwd=ROOT, env={"DBUS_SYSTEM_BUS_ADDRESS": open_bus.address},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["org.freedesktop.DBus", through]
