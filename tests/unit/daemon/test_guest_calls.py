"""What a call begins before polkit has been asked, which anybody may have begun."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from gi.repository import GLib

from vfiod.daemon.answers import answered
from vfiod.daemon.guest_calls import GuestCalls
from vfiod.daemon.rights import Action
from vfiod.daemon.starts import Countdown, Wish
from vfiod.handoff.decision import readiness
from vfiod.handoff.decision.ending import Person
from vfiod.handoff.decision.readiness import GuestFacts
from vfiod.model import Phase

LONG = 60.0
START = ("StartGuest", ("win10", 0))
LIST = ("ListGuests", ())
COUNTDOWN = Countdown(Wish("win10", 1000, "alice", spares_others=True), until=0)
POLICY = ElementTree.parse(Path(__file__).parents[3] / "config" / "org.vfiod1.policy")


def until(condition: Callable[[], object]) -> None:
    """Let the main loop run until the condition holds."""
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline
        GLib.MainContext.default().iteration(False)  # noqa: FBT003


class Call:
    """A call of the bus; ``error`` is the name of the error it was answered with."""

    def __init__(self) -> None:
        self.answered, self.error = False, ""
        self.values: Any = ()

    def return_value(self, values: Any) -> None:
        self.answered, self.values = True, values.unpack()

    def return_dbus_error(self, name: str, _message: str) -> None:
        self.answered, self.error = True, name


class Desk:
    """The calls of a daemon; a sender's name is its user's id. A look lasts until ``go`` is set."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.looks: list[threading.Thread] = []
        self.asked: list[tuple[str, str]] = []
        self.details: Mapping[str, str] = {}
        self.phase = (Phase.HOST, "")
        self.people: tuple[Person, ...] = ()
        commands = SimpleNamespace(look=self._look, trial_until=lambda _guest: 0)
        logins = SimpleNamespace(user_name=lambda uid: f"user {uid}")
        authority = SimpleNamespace(uid_of=int, ask=self._ask)
        parts: tuple[Any, ...] = (
            SimpleNamespace(commands=commands, logins=logins),
            authority,
            SimpleNamespace(require_free=lambda: None, require_countdown=lambda: COUNTDOWN),
            lambda: SimpleNamespace(guests={"win10": None}),
            lambda: self.phase,
            lambda _event: None,
            lambda _guest: Future(),
        )
        self._calls = GuestCalls(*parts)

    def call(self, uid: int, method: str, values: tuple[Any, ...]) -> Call:
        invocation = Call()
        with answered(invocation):
            self._calls.call(str(uid), method, values, invocation)
        return invocation

    def _look(self) -> str:
        self.looks.append(threading.current_thread())
        assert self.go.wait(LONG)
        return readiness.dump([GuestFacts("win10", state="shut off", people=self.people)])

    def _ask(self, sender: str, action: Action, *then: Any) -> None:
        self.asked.append((sender, action.ident))
        self.details = then[-1]


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.go.set()
    until(lambda: not any(thread.is_alive() for thread in desk.looks))


def test_many_starts_of_one_user_are_one_look(desk: Desk) -> None:
    calls = [desk.call(1000, *START) for _ in range(100)]
    until(lambda: desk.looks)
    assert {call.error for call in calls[1:]} == {"org.vfiod1.Error.Busy"}
    assert not calls[0].answered
    desk.go.set()
    until(lambda: desk.asked)
    assert (len(desk.looks), desk.asked) == (1, [("1000", "org.vfiod1.start")])


def test_the_starts_of_many_users_are_one_look(desk: Desk) -> None:
    calls = [desk.call(uid, *START) for uid in range(1000, 1020)]
    listed = desk.call(0, *LIST)
    desk.go.set()
    until(lambda: len(desk.asked) == len(calls) and listed.answered)
    assert len(desk.looks) == 1
    assert [row["name"] for row in json.loads(listed.values[0])] == ["win10"]


def test_once_it_was_looked_at_the_next_may_be_asked_for(desk: Desk) -> None:
    desk.go.set()
    assert not desk.call(1000, *START).answered
    until(lambda: desk.asked)
    assert not desk.call(1000, *START).answered
    until(lambda: len(desk.asked) == 2)
    assert len(desk.looks) == 2


def test_a_look_from_before_a_return_is_not_believed(desk: Desk) -> None:
    desk.phase = (Phase.GUEST, "other")
    desk.call(0, *LIST)
    until(lambda: desk.looks)
    desk.phase = (Phase.HOST, "")
    desk.call(1000, *START)
    until(lambda: len(desk.looks) == 2)


@pytest.mark.parametrize(
    ("phase", "method", "values", "people"),
    [
        (Phase.HOST, *START, ()),
        (Phase.HOST, *START, (Person("bob"),)),
        (Phase.HOST, "CancelStart", (), ()),
        (Phase.GUEST, "ShutdownGuest", ("win10", False), ()),
        (Phase.GUEST, "ForceOff", ("win10",), ()),
        (Phase.GUEST, "Keep", ("win10", 0), ()),
    ],
)
def test_polkit_s_question_tells_all_that_it_names(
    desk: Desk, phase: Phase, method: str, values: tuple[Any, ...], people: tuple[Person, ...]
) -> None:
    desk.phase, desk.people = (phase, "win10" if phase is Phase.GUEST else ""), people
    desk.go.set()
    desk.call(1001, method, values)
    until(lambda: desk.asked)
    ((_, ident),) = desk.asked
    message = POLICY.findtext(f"action[@id='{ident}']/message") or ""
    assert set(re.findall(r"\$\((\w+)\)", message)) <= set(desk.details)
    assert desk.details["guest"] == "win10"
