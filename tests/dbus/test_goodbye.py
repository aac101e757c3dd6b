"""`vfiod goodbye log-out`, as a person, on a bus with stand-ins for session managers."""

import os
import re
import sys
import time

import pytest

from tests.dbus.bus import PrivateBus, private_bus
from tests.dbus.goodbyes import (
    PERSON,
    WAITS,
    Start,
    answer_of,
    ask,
    command,
    desktop,
    own_bus,
    person,
    told_to_end,
    until_said,
)
from vfiod.host.goodbye import Answer, Outcome

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the bus is root's")

__all__ = ["desktop", "own_bus"]

DIALOG = "GNOME's own question may log out by itself after a minute: press Cancel there to stay"


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
    # How often it is looked for the end is a matter of time; its output ends with the desktop.
    assert any(line.strip() == called for line in child.stdout)


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


def test_plasma_s_is_taken_back_when_the_program_is_told_to_end(
    own_bus: PrivateBus, desktop: Start
) -> None:
    """Its service is being stopped, and Plasma would end what is open two minutes later."""
    manager = desktop("plasma", "hangs")
    child = person(own_bus, "log-out", "2", "60")
    assert manager.stdout is not None
    until_said(manager, "logout")
    assert told_to_end(own_bus, child) == ""
    until_said(manager, "resetLogout")


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
        until_said(manager, "Logout 1")
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
