"""What `vfiod goodbye` shows a person, and the button that they press."""

import os
import subprocess
import time
from collections.abc import Iterator

import pytest
from gi.repository import GLib

from tests.dbus.bus import PrivateBus, until
from tests.dbus.goodbyes import (
    PERSON,
    WAITS,
    Start,
    answer_of,
    command,
    desktop,
    own_bus,
    person,
    told_to_end,
)
from tests.dbus.test_notifications import SERVICE, mock
from vfiod.host.goodbye import Answer, Outcome, decode

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the bus is root's")

__all__ = ["desktop", "own_bus"]


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
    child = person(bus, "announce", "2", seconds, "--", "-n win10")
    until(lambda: mock(bus, "GetMethodCalls", "s", "Notify")[0], "the notification")
    return child


def test_what_keeps_gnome_from_being_asked_is_told_and_not_now_is_heard(
    notifications: PrivateBus, desktop: Start
) -> None:
    desktop("gnome", "objects")
    child = person(notifications, "log-out", "2", "60", "--", "-n win10")
    until(lambda: mock(notifications, "GetMethodCalls", "s", "Notify")[0], "the notification")
    (_, values), *_ = mock(notifications, "GetMethodCalls", "s", "Notify")[0]
    assert "Save and close what is open: -n win10 is waiting" in values
    assert f"Your desktop cannot log out yet: {WAITS[0]}" in values
    pressed = ("ActionInvoked", "us", [GLib.Variant("u", 1), GLib.Variant("s", "not-now")])
    mock(notifications, "EmitSignal", "sssav", SERVICE, *pressed)
    assert answer_of(notifications, child) == Answer(Outcome.DECLINED)
    assert len(mock(notifications, "GetMethodCalls", "s", "Notify")[0]) == 1
    assert mock(notifications, "GetMethodCalls", "s", "CloseNotification")[0]


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


@pytest.mark.parametrize("what", ["announce", "log-out"])
def test_who_is_told_to_end_takes_it_off_the_screen_and_answers_nothing(
    notifications: PrivateBus, desktop: Start, what: str
) -> None:
    """Its service is being stopped: no start waits for the person any more."""
    desktop("gnome", "objects")
    child = person(notifications, what, "2", "60", "--", "win10")
    until(lambda: mock(notifications, "GetMethodCalls", "s", "Notify")[0], "the notification")
    assert told_to_end(notifications, child) == ""
    assert mock(notifications, "GetMethodCalls", "s", "CloseNotification")[0]


def test_a_desktop_that_shows_none_says_so(own_bus: PrivateBus) -> None:
    done = own_bus.run(*command(own_bus, "announce", "2", "60", "win10"), user=PERSON)
    assert decode(done.stdout) == Answer(Outcome.NOBODY)
