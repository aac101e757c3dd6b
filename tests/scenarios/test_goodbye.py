"""A whole start that asks the people at the screen first."""

from itertools import count
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.host import FakeHost
from tests.fakes.rig import Rig, is_killed
from vfiod.errors import Busy, HostError, Refused
from vfiod.events import Kind
from vfiod.host.goodbye import Answer, Outcome

WAITS = Answer(Outcome.UNANSWERED, ("gedit (unsaved)",))
POLITE = ("log-out", "refuse-unsaved")


def rig(directory: Path, host: FakeHost, policy: str, more: str = "") -> Rig:
    return Rig(host, directory, f"sessions: {policy}\n{more}" + pcs.configuration())


def kinds(found: Rig) -> list[str]:
    steps = [e.fields.get("STEP", "") for e in found.events if e.kind is Kind.STEP_DONE]
    return [step for step in steps if step]


def people(found: Rig) -> list[str]:
    return [s.user for s in found.host.logins.sessions() if s.is_person]


@pytest.mark.parametrize("policy", POLITE)
def test_who_logs_out_gets_everything_back(run_directory: Path, policy: str) -> None:
    found = rig(run_directory, pcs.desktop(), policy)
    pid = found.start()
    assert found.host.goodbyes.asked == ["announce alice", "log out alice"]
    found.end_guest(pid)
    assert found.differences() == {}


def test_the_time_that_each_takes_is_in_the_log(run_directory: Path) -> None:
    found = rig(run_directory, pcs.desktop(), "refuse-unsaved", "countdown: 7\n")
    found.start()
    took = {
        e.fields["STEP"]: int(e.fields["DURATION_USEC"]) / 1e6
        for e in found.events
        if e.kind is Kind.STEP_DONE and "STEP" in e.fields
    }
    assert took["announce-start"] == pytest.approx(7)
    assert took["ask-to-log-out"] == pytest.approx(0.5)


def test_who_wants_speed_is_not_asked(run_directory: Path) -> None:
    found = rig(run_directory, pcs.desktop(), "terminate")
    found.start()
    assert found.host.goodbyes.asked == []
    assert not {"announce-start", "ask-to-log-out"} & set(kinds(found))


@pytest.mark.parametrize(
    ("policy", "asked", "answer", "words"),
    [
        ("log-out", "announce", Answer(Outcome.DECLINED), 'alice pressed "Not now"'),
        ("refuse-unsaved", "announce", Answer(Outcome.DECLINED), 'alice pressed "Not now"'),
        ("refuse-unsaved", "log out", WAITS, "has not logged out within 60 s: gedit (unsaved)"),
        ("refuse-unsaved", "log out", Answer(Outcome.NOBODY), "nobody on the desktop of alice"),
        ("refuse-unsaved", "log out", HostError("alice gave no answer"), "alice gave no answer"),
        ("log-out", "log out", Answer(Outcome.DECLINED), "the logout of alice was cancelled"),
    ],
)
def test_a_refused_goodbye_leaves_the_desktop_alone(
    run_directory: Path, policy: str, asked: str, answer: Answer | HostError, words: str
) -> None:
    found = rig(run_directory, pcs.desktop(), policy)
    found.host.goodbyes.answers[asked, "alice"] = answer
    before = sorted(found.host.user.processes)
    error = found.prepare()
    assert isinstance(error, Refused)
    assert words in str(error)
    assert sorted(found.host.user.processes) == before
    assert found.differences() == {}
    assert not found.path.exists()
    last = found.events[-1]
    assert (last.kind, "win10 was not started: " in last.message) == (Kind.REFUSED, True)
    assert "DURATION_USEC" in last.fields
    assert Kind.STEP_FAILED not in {event.kind for event in found.events}


def test_an_unanswered_one_is_ended_all_the_same_where_that_is_said(run_directory: Path) -> None:
    found = rig(run_directory, pcs.desktop(), "log-out", "limits: {goodbye: 5}\n")
    found.host.goodbyes.answers["log out", "alice"] = WAITS
    assert found.prepare() is None
    assert people(found) == []
    remarks = [e.message for e in found.events if e.kind is Kind.REMARK]
    assert any("has not logged out within 5 s: gedit (unsaved)" in remark for remark in remarks)


@pytest.mark.parametrize("respawn", [0.0, 0.1, 3.0])
@pytest.mark.parametrize("policy", POLITE)
def test_a_getty_that_logs_in_again_after_the_goodbye_does_not_come_between(
    run_directory: Path, policy: str, respawn: float
) -> None:
    found = rig(run_directory, pcs.autologin(respawn), policy)
    assert found.prepare() is None
    assert people(found) == []
    assert "log out alice" in found.host.goodbyes.asked


def test_a_logout_comes_after_all_that_may_fail_and_before_a_keyboard_goes(
    run_directory: Path,
) -> None:
    found = rig(run_directory, pcs.desktop(), "refuse-unsaved")
    found.start()
    steps = kinds(found)
    at = steps.index("ask-to-log-out")
    assert steps[at - 1] == "announce-start"
    assert set(steps[:at]) <= {
        "inhibit",
        "load-module",
        "stage-rom",
        "keep-awake",
        "announce-start",
    }
    assert "detach" in steps[at:]


def test_work_that_no_desktop_can_ask_about_is_refused_before_anybody_is_asked(
    run_directory: Path,
) -> None:
    found = rig(run_directory, pcs.crowded(), "refuse-unsaved")
    error = found.prepare()
    assert isinstance(error, Refused)
    assert (
        "the work of bob (stubborn, wireplumber) would end, and no desktop can ask about it"
        in str(error)
    )
    assert "alice" not in str(error)
    assert found.host.goodbyes.asked == []


def test_without_a_countdown_nobody_is_told(run_directory: Path) -> None:
    found = rig(run_directory, pcs.desktop(), "log-out", "countdown: 0\n")
    found.start()
    assert found.host.goodbyes.asked == ["log out alice"]


def test_a_start_that_is_given_up_while_people_are_told_asks_nobody_to_leave(
    run_directory: Path,
) -> None:
    found = rig(run_directory, pcs.desktop(), "refuse-unsaved")
    future, began = found.manager.prepare("win10", pcs.xml()), found.host.now()
    found.host.clock.after(5, lambda: found.manager.give_up(future))
    found.queue.run_all()
    assert isinstance(future.exception(), Busy)
    assert found.host.goodbyes.asked == ["announce alice"]
    assert found.host.goodbyes.taken_back == ["announce alice"]
    assert found.host.now() - began <= 6
    assert people(found) == ["alice"]
    assert found.differences() == {}


@pytest.mark.parametrize("answer", [WAITS, Answer(Outcome.DONE)], ids=["refused", "gone"])
def test_a_daemon_killed_anywhere_in_it_leaves_nothing(run_directory: Path, answer: Answer) -> None:
    for number in count(1):
        found = rig(run_directory, pcs.desktop(), "refuse-unsaved")
        found.host.goodbyes.answers["log out", "alice"] = answer
        found.host.effects.plan({number: Fault.KILL_AFTER})
        if not is_killed(found.prepare()):
            return
        found.host.effects.plan({})
        assert found.recover() is None
        found.manager.release("win10", "failed")
        found.queue.run_all()
        assert found.differences() == {}, number
