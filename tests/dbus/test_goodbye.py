"""`vfiod goodbye`, as a person, on a bus with stand-ins for session managers."""

import os
import pwd
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gi.repository import GLib

from tests.dbus.bus import PrivateBus, private_bus, until
from tests.dbus.test_notifications import SERVICE, mock
from vfiod.host.goodbye import Answer, Outcome, decode

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the bus is root's")

# Somebody whom the bus knows, with no other processes.
PERSON = pwd.getpwnam("bin").pw_uid
Start = Callable[[str, str], "subprocess.Popen[str]"]
DIALOG = "GNOME's own question may log out by itself after a minute: press Cancel there to stay"
WAITS = ("org.gnome.TextEditor (There are unsaved documents)",)


@pytest.fixture(scope="module")
def own_bus() -> Iterator[PrivateBus]:
    """System and session bus of a person at once."""
    with private_bus(with_policy=False) as bus:
        yield bus


@pytest.fixture
def desktop(own_bus: PrivateBus) -> Iterator[Start]:
    """Starts one, which ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(kind: str, does: str) -> "subprocess.Popen[str]":
        child = own_bus.spawn(sys.executable, "-m", "tests.dbus.desktops", kind, does)
        started.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        return child

    yield start
    for child in started:
        own_bus.end(child)


def command(bus: PrivateBus, *words: str) -> list[str]:
    runtime = Path(bus.address.removeprefix("unix:path=")).parent
    return ["env", f"XDG_RUNTIME_DIR={runtime}", sys.executable, "-m", "vfiod", "goodbye", *words]


def ask(bus: PrivateBus, seconds: float = 20, *more: str) -> Answer:
    done = bus.run(*command(bus, "log-out", *more, "2", f"{seconds:g}"), user=PERSON)
    assert done.returncode == 0, done.stderr
    return decode(done.stdout)


@pytest.mark.parametrize(
    ("kind", "called"),
    [
        ("gnome", "Logout 1"),
        ("plasma", "logout"),
        ("xfce", "Logout False True"),
        ("lxqt", "logout"),
    ],
)
def test_each_is_asked_in_its_own_words_and_its_end_is_seen(
    own_bus: PrivateBus, desktop: Start, kind: str, called: str
) -> None:
    child = desktop(kind, "ends")
    assert ask(own_bus) == Answer(Outcome.DONE)
    assert child.stdout is not None
    assert called in [child.stdout.readline().strip() for _ in range(3)]


@pytest.mark.parametrize("kind", ["gnome", "mate", "xfce"])
def test_a_cancelled_logout_is_known_at_once(
    own_bus: PrivateBus, desktop: Start, kind: str
) -> None:
    desktop(kind, "cancels")
    began = time.monotonic()
    assert ask(own_bus, 60) == Answer(Outcome.DECLINED)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("does", "outcome"), [("cancels", Outcome.DECLINED), ("lingers", Outcome.UNANSWERED)]
)
def test_plasma_s_is_known_by_its_helper_s_end_unless_the_desktop_ends_too(
    own_bus: PrivateBus, desktop: Start, does: str, outcome: Outcome
) -> None:
    desktop("plasma", does)
    assert ask(own_bus, 19) == Answer(outcome)


@pytest.mark.parametrize(
    ("kind", "does", "waits_for"),
    [
        ("gnome", "objects", WAITS),
        ("gnome", "asks", (*WAITS, DIALOG)),
        ("gnome", "hangs", ()),
        ("xfce", "objects", ()),
        ("plasma", "hangs", ()),
        ("lxqt", "hangs", ()),
    ],
)
def test_what_does_not_end_costs_its_time_and_no_more(
    own_bus: PrivateBus, desktop: Start, kind: str, does: str, waits_for: tuple[str, ...]
) -> None:
    desktop(kind, does)
    began = time.monotonic()
    assert ask(own_bus, 2) == Answer(Outcome.UNANSWERED, waits_for)
    assert time.monotonic() - began < 20  # a call of D-Bus by itself waits for 25


def test_gnome_is_not_asked_as_long_as_a_program_objects(
    own_bus: PrivateBus, desktop: Start
) -> None:
    """Its own question would end the session by itself."""
    child = desktop("gnome", "objects")
    assert ask(own_bus, 2) == Answer(Outcome.UNANSWERED, WAITS)
    child.kill()
    assert child.stdout is not None
    assert not re.findall("^Logout", child.stdout.read(), re.MULTILINE)


def test_plasma_s_is_taken_back_when_its_time_is_over(own_bus: PrivateBus, desktop: Start) -> None:
    child = desktop("plasma", "hangs")
    assert ask(own_bus, 2) == Answer(Outcome.UNANSWERED)
    child.kill()
    assert child.stdout is not None
    assert "resetLogout" in child.stdout.read().split()


def test_a_bus_that_goes_with_its_session_takes_nobody_along(
    own_bus: PrivateBus, desktop: Start
) -> None:
    desktop("none", "ends")
    with private_bus(with_policy=False) as session:
        manager = session.spawn(sys.executable, "-m", "tests.dbus.desktops", "gnome", "asks")
        assert manager.stdout is not None
        assert manager.stdout.readline() == "ready\n"
        words = command(session, "log-out", "2", "60")
        child = own_bus.spawn("setpriv", f"--reuid={PERSON}", "--clear-groups", *words)
        limit = threading.Timer(60, manager.kill)
        limit.start()
        try:
            while (line := manager.stdout.readline()) != "Logout 1\n":
                assert line, "it was not asked"
        finally:
            limit.cancel()
    assert answer_of(own_bus, child) == Answer(Outcome.DONE)


def test_a_desktop_without_any_has_nobody_to_ask(own_bus: PrivateBus, desktop: Start) -> None:
    desktop("none", "ends")
    assert ask(own_bus) == Answer(Outcome.NOBODY)


def test_a_session_that_is_over_has_nobody_either(own_bus: PrivateBus) -> None:
    assert ask(own_bus) == Answer(Outcome.NOBODY)


@pytest.mark.parametrize("kind", ["gnome", "none"])
def test_who_leaves_by_themselves_has_logged_out(
    own_bus: PrivateBus, desktop: Start, kind: str
) -> None:
    desktop(kind, "leaves")
    assert ask(own_bus, 60, "--settle=40") == Answer(Outcome.DONE)


def test_a_desktop_that_says_no_is_not_waited_for(own_bus: PrivateBus, desktop: Start) -> None:
    desktop("gnome", "fails")
    began = time.monotonic()
    answer = Answer(Outcome.FAILED, ("Logout has been locked down", *WAITS))
    assert ask(own_bus, 60) == answer
    assert time.monotonic() - began < 30


# The notification


@pytest.fixture
def notifications(own_bus: PrivateBus) -> Iterator[PrivateBus]:
    words = [
        "/usr/bin/python3",
        "-m",
        "dbusmock",
        "--session",
        "--template",
        "notification_daemon",
        "-p",
    ]
    address = f"DBUS_SESSION_BUS_ADDRESS={own_bus.address}"
    child = own_bus.spawn("env", address, *words, '{"capabilities": "actions body"}')
    dbus = "org.freedesktop.DBus"
    until(
        lambda: own_bus.begin_at(dbus, "/", dbus, "NameHasOwner", "s", SERVICE).result()[0], SERVICE
    )
    yield own_bus
    own_bus.end(child)


def announced(bus: PrivateBus, seconds: str) -> "subprocess.Popen[str]":
    words = command(bus, "announce", "2", seconds, "--", "-n win10")
    child = bus.spawn("setpriv", f"--reuid={PERSON}", "--clear-groups", *words)
    until(lambda: mock(bus, "GetMethodCalls", "s", "Notify")[0], "the notification")
    return child


def test_what_keeps_gnome_from_being_asked_is_told_and_not_now_is_heard(
    notifications: PrivateBus, desktop: Start
) -> None:
    desktop("gnome", "objects")
    words = command(notifications, "log-out", "2", "60", "--", "-n win10")
    child = notifications.spawn("setpriv", f"--reuid={PERSON}", "--clear-groups", *words)
    until(lambda: mock(notifications, "GetMethodCalls", "s", "Notify")[0], "the notification")
    (_, values), *_ = mock(notifications, "GetMethodCalls", "s", "Notify")[0]
    assert "Save and close what is open: -n win10 is waiting" in values
    assert f"Your desktop cannot log out yet: {WAITS[0]}" in values
    pressed = ("ActionInvoked", "us", [GLib.Variant("u", 1), GLib.Variant("s", "not-now")])
    mock(notifications, "EmitSignal", "sssav", SERVICE, *pressed)
    assert answer_of(notifications, child) == Answer(Outcome.DECLINED)
    assert len(mock(notifications, "GetMethodCalls", "s", "Notify")[0]) == 1
    assert mock(notifications, "GetMethodCalls", "s", "CloseNotification")[0]


def answer_of(bus: PrivateBus, child: "subprocess.Popen[str]") -> Answer:
    assert child.wait(30) == 0
    assert child.stdout is not None
    answer = decode(child.stdout.read())
    bus.end(child)
    return answer


def test_not_now_is_heard(notifications: PrivateBus) -> None:
    child = announced(notifications, "60")
    (_, values), *_ = mock(notifications, "GetMethodCalls", "s", "Notify")[0]
    assert "-n win10 is about to take the screen" in values
    assert ["not-now", "Not now"] in values
    pressed = ("ActionInvoked", "us", [GLib.Variant("u", 1), GLib.Variant("s", "not-now")])
    mock(notifications, "EmitSignal", "sssav", SERVICE, *pressed)
    assert answer_of(notifications, child) == Answer(Outcome.DECLINED)


def test_one_that_is_only_closed_leaves_the_person_the_time(notifications: PrivateBus) -> None:
    began = time.monotonic()
    child = announced(notifications, "5")
    mock(notifications, "EmitSignal", "sssav", SERVICE, "NotificationClosed", "uu",
         [GLib.Variant("u", 1), GLib.Variant("u", 2)])  # fmt: skip
    assert answer_of(notifications, child) == Answer(Outcome.DONE)
    assert time.monotonic() - began >= 5


def test_it_is_taken_off_the_screen_when_its_time_is_over(notifications: PrivateBus) -> None:
    child = announced(notifications, "1")
    assert answer_of(notifications, child) == Answer(Outcome.DONE)
    assert mock(notifications, "GetMethodCalls", "s", "CloseNotification")[0]


def test_a_desktop_that_shows_none_says_so(own_bus: PrivateBus) -> None:
    done = own_bus.run(*command(own_bus, "announce", "2", "60", "win10"), user=PERSON)
    assert decode(done.stdout) == Answer(Outcome.NOBODY)
