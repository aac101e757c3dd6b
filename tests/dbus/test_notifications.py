"""Notifications on a session's bus, and what becomes of the button that is pressed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dbus.bus import DBUS, PrivateBus, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the bus is root's")

SERVICE, PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
MOCK = "org.freedesktop.DBus.Mock"
ASK = """
from vfiod.cli.dialog import Notice
from vfiod.cli.notifications import Notifications
print(Notice(Notifications()).ask("Your session will end.", yes="Start win11"))
"""


@pytest.fixture
def desktop(open_bus: PrivateBus) -> Iterator[PrivateBus]:
    """A bus on which dbusmock shows the notifications."""
    words = "/usr/bin/python3 -m dbusmock --session --template notification_daemon"
    address = f"DBUS_SESSION_BUS_ADDRESS={open_bus.address}"
    mock = open_bus.spawn("env", address, *words.split())

    def there() -> bool:
        return bool(open_bus.begin_at(DBUS, "/", DBUS, "NameHasOwner", "s", SERVICE).result()[0])

    until(there, SERVICE)
    yield open_bus
    open_bus.end(mock)


def mock(bus: PrivateBus, method: str, signature: str, *values: Any) -> Any:
    return bus.begin_at(SERVICE, PATH, MOCK, method, signature, *values).result()


def asked(bus: PrivateBus) -> "subprocess.Popen[str]":
    address = f"DBUS_SESSION_BUS_ADDRESS={bus.address}"
    child = bus.spawn("env", address, sys.executable, "-c", ASK)
    until(lambda: mock(bus, "GetMethodCalls", "s", "Notify")[0], "the notification")
    return child


@pytest.mark.parametrize(("key", "answer"), [("start", "True"), ("cancel", "False")])
def test_the_button_is_the_answer(desktop: PrivateBus, key: str, answer: str) -> None:
    from gi.repository import GLib

    child = asked(desktop)
    (_, values), *_ = mock(desktop, "GetMethodCalls", "s", "Notify")[0]
    assert "Your session will end." in values
    assert ["start", "Start win11", "cancel", "Cancel"] in values
    signal = ("ActionInvoked", "us", [GLib.Variant("u", 1), GLib.Variant("s", key)])
    mock(desktop, "EmitSignal", "sssav", SERVICE, *signal)
    assert child.wait(10) == 0
    assert child.stdout is not None
    assert child.stdout.read() == f"{answer}\n"
    desktop.end(child)


TELL = """
import sys
from pathlib import Path
from tests.fakes.record import BOOT, entries
from tests.fakes.scenes import SCENES
from vfiod.cli.telling import tell
from vfiod.tools.log.story import find_stories
tell(find_stories(entries(SCENES["stuck"](Path(sys.argv[1]))), boot=BOOT))
"""


def test_each_user_is_told_once(desktop: PrivateBus, run_directory: Path) -> None:
    bus, home = f"DBUS_SESSION_BUS_ADDRESS={desktop.address}", f"XDG_STATE_HOME={run_directory}"
    for time in ("first", "second"):
        folder = run_directory / time
        folder.mkdir()
        done = desktop.run("env", bus, home, sys.executable, "-c", TELL, str(folder), user=0)
        assert (done.returncode, done.stderr) == (0, "")
    (_, values), *more = mock(desktop, "GetMethodCalls", "s", "Notify")[0]
    assert more == []
    assert "win10: STUCK: something could not be given back" in values
    assert (run_directory / "vfiod" / "told").read_text().strip() == "0" * 31 + "1"


def test_without_a_journal_or_a_desktop_nobody_is_bothered(desktop: PrivateBus) -> None:
    done = desktop.vfiod("log", "--notify")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def notify(desktop: PrivateBus, home: Path, session: str = "gnome") -> None:
    """What runs at a login to this desktop, as root, who may read any journal."""
    words = (
        f"DBUS_SESSION_BUS_ADDRESS={desktop.address}", f"XDG_STATE_HOME={home}",
        f"DESKTOP_SESSION={session}", "XDG_SESSION_TYPE=wayland", sys.executable, "-m", "vfiod",
    )  # fmt: skip
    done = desktop.run("env", *words, "log", "--notify", user=0)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_could_not_be_shown_at_the_login_screen_is_told_once(
    desktop: PrivateBus, run_directory: Path
) -> None:
    left = run_directory / "vfiod" / "not-started"
    left.parent.mkdir()
    left.write_text("win10 was not started: <b>no memory</b>\n")
    notify(desktop, run_directory)
    assert not left.exists()
    notify(desktop, run_directory)
    told = [values for _, values in mock(desktop, "GetMethodCalls", "s", "Notify")[0]]
    ours = [values for values in told if "was not started" in str(values)]
    assert len(ours) == 1
    assert "win10 was not started: [b]no memory[/b]" in ours[0]


def test_the_desktop_that_somebody_logs_in_to_is_written_down(
    desktop: PrivateBus, run_directory: Path
) -> None:
    notify(desktop, run_directory, "plasma")
    assert (run_directory / "vfiod" / "session").read_text() == "plasma\nwayland\n"
