"""Asking people, on the model: who is asked, what each answer means, and what it costs."""

import pytest

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from vfiod.errors import HostError, Refused
from vfiod.handoff.steps.goodbye import AnnounceStart, AskToLogOut
from vfiod.host.goodbye import Answer, Outcome

ANNOUNCE = AnnounceStart("win10", ("2",), ("alice",), 10.0)
FIRM = AskToLogOut("win10", ("2",), ("alice",), 60.0, required=True)
SOFT = AskToLogOut("win10", ("2",), ("alice",), 60.0, required=False)
WAITS = Answer(Outcome.UNANSWERED, ("gedit (unsaved)", "Gimp"))


@pytest.fixture
def host() -> FakeHost:
    return pcs.desktop()


def says(host: FakeHost, what: str, answer: Answer | HostError) -> None:
    host.goodbyes.answers[what, "alice"] = answer


def people(host: FakeHost) -> list[str]:
    return [s.user for s in host.logins.sessions() if s.is_person and not s.closing]


# The notification


def test_a_person_is_told_and_has_the_time_to_say_no(host: FakeHost) -> None:
    before = host.now()
    assert ANNOUNCE.apply(host) == []
    assert host.now() - before == 10
    assert host.goodbyes.asked == ["announce alice"]


def test_not_now_refuses_at_once(host: FakeHost) -> None:
    says(host, "announce", Answer(Outcome.DECLINED))
    before = host.snapshot()
    with pytest.raises(Refused) as caught:
        ANNOUNCE.apply(host)
    assert str(caught.value) == 'alice pressed "Not now"\n    start win10 again when it suits'
    assert (host.now(), host.snapshot()) == (1000.0, before)


@pytest.mark.parametrize("answer", [Answer(Outcome.NOBODY), HostError("alice gave no answer")])
def test_who_cannot_be_told_is_a_remark(host: FakeHost, answer: Answer | HostError) -> None:
    says(host, "announce", answer)
    (remark,) = ANNOUNCE.apply(host)
    assert remark.startswith("alice was not told: ")


def test_a_session_that_has_ended_meanwhile_is_not_asked(host: FakeHost) -> None:
    host.user.sessions.clear()
    assert (ANNOUNCE.apply(host), FIRM.apply(host)) == ([], [])
    assert host.goodbyes.asked == []


# The logout


@pytest.mark.parametrize("step", [FIRM, SOFT])
def test_a_desktop_that_logs_out_is_no_remark(host: FakeHost, step: AskToLogOut) -> None:
    assert step.apply(host) == []
    assert people(host) == []
    assert host.now() < 1002


def test_what_is_unsaved_refuses_and_is_named(host: FakeHost) -> None:
    says(host, "log out", WAITS)
    with pytest.raises(Refused) as caught:
        FIRM.apply(host)
    assert str(caught.value) == (
        "the desktop of alice has not logged out within 60 s: gedit (unsaved), Gimp\n"
        "    save and log out, then start win10 again; or set sessions: log-out"
    )
    assert people(host) == ["alice"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (WAITS, "has not logged out within 60 s: gedit (unsaved), Gimp; it is ended"),
        (Answer(Outcome.NOBODY), "nobody on the desktop of alice can be asked to log out; it is"),
        (HostError("alice gave no answer"), "alice gave no answer; it is ended all the same"),
    ],
)
def test_without_the_must_it_is_a_remark(
    host: FakeHost, answer: Answer | HostError, words: str
) -> None:
    says(host, "log out", answer)
    (remark,) = SOFT.apply(host)
    assert words in remark
    with pytest.raises(Refused):
        FIRM.apply(host)


@pytest.mark.parametrize(("step", "settle"), [(FIRM, 15), (SOFT, 0)])
def test_who_logs_out_by_themselves_is_waited_for_where_it_would_refuse(
    host: FakeHost, step: AskToLogOut, settle: float
) -> None:
    step.apply(host)
    assert host.goodbyes.settles == [settle]


def test_a_desktop_that_says_no_has_not_been_given_the_time(host: FakeHost) -> None:
    says(host, "log out", Answer(Outcome.FAILED, ("Logout has been locked down",)))
    with pytest.raises(Refused) as caught:
        FIRM.apply(host)
    first, _ = str(caught.value).splitlines()
    assert first == "the desktop of alice has not logged out: Logout has been locked down"


@pytest.mark.parametrize("step", [FIRM, SOFT])
def test_a_cancelled_logout_is_a_no_in_either_way(host: FakeHost, step: AskToLogOut) -> None:
    says(host, "log out", Answer(Outcome.DECLINED))
    with pytest.raises(Refused, match="the logout of alice was cancelled"):
        step.apply(host)


def test_it_takes_the_time_of_one_however_many_are_asked(host: FakeHost) -> None:
    """On Linux they are asked side by side; here, that one's silence keeps nobody from another."""
    bob = pcs.crowded()
    says(bob, "log out", WAITS)
    step = AskToLogOut("win10", ("2", "7"), ("alice", "bob"), 60.0, required=True)
    with pytest.raises(Refused, match="alice"):
        step.apply(bob)
    assert sorted(bob.goodbyes.asked) == ["log out alice", "log out bob"]
