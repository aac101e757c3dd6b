"""gnome-session, which is asked to log out once no program objects."""

from collections.abc import Callable, Sequence

import pytest

from tests.unit.tools.goodbye.sessionbus import SessionBus
from vfiod.errors import HostError, TimedOut
from vfiod.host.goodbye import Answer, Outcome
from vfiod.tools.goodbye import farewell
from vfiod.tools.goodbye.gnome import KIND, Gnome

NAME = "org.gnome.SessionManager"
EDITOR = "org.gnome.TextEditor (There are unsaved documents)"


class Telling:
    """A person's screen: what is on it, and what they press."""

    def __init__(self) -> None:
        self.told: list[Sequence[str]] = []
        self.taken_off = 0
        self.press: Callable[[], None] = lambda: None

    def __call__(self, what: Sequence[str], declined: Callable[[], None]) -> Callable[[], None]:
        self.told.append(what)
        self.press = declined
        return self._take_off

    def _take_off(self) -> None:
        self.taken_off += 1


@pytest.fixture
def bus() -> SessionBus:
    """One on which an editor objects."""
    found = SessionBus(NAME)
    found.answers = {
        "IsInhibited": [True], "GetInhibitors": [["/Inhibitor7"]], "GetFlags": [1],
        "GetAppId": ["org.gnome.TextEditor"], "GetReason": ["There are unsaved documents"],
        "Logout": (), "IsSessionRunning": [True],
    }  # fmt: skip
    return found


@pytest.fixture
def telling() -> Telling:
    return Telling()


@pytest.fixture
def gnome(bus: SessionBus, telling: Telling) -> Gnome:
    return Gnome(bus, KIND, seconds=60, tell=telling)


def test_it_is_asked_once_nobody_objects(bus: SessionBus, telling: Telling, gnome: Gnome) -> None:
    gnome.begin()
    assert [gnome.look() for _ in range(3)] == [False] * 3
    assert "Logout 1" not in bus.called
    assert (telling.told, telling.taken_off) == ([[EDITOR]], 0)
    bus.answers["IsInhibited"] = [False]
    assert [gnome.look() for _ in range(3)] == [False] * 3
    assert bus.called.count("Logout 1") == 1
    assert telling.taken_off == 1


def test_what_is_not_begun_is_not_asked(bus: SessionBus, gnome: Gnome) -> None:
    """On X11 the windows are closed first."""
    bus.answers["IsInhibited"] = [False]
    assert not gnome.look()
    assert bus.called == []


def test_nothing_is_left_behind_when_the_time_is_over(
    bus: SessionBus, telling: Telling, gnome: Gnome
) -> None:
    assert farewell.log_out(gnome, lambda: False, seconds=1) == Answer(
        Outcome.UNANSWERED, (EDITOR,)
    )
    assert telling.taken_off == 1
    bus.answers["IsInhibited"] = [False]
    gnome.look()
    assert "Logout 1" not in bus.called


def test_not_now_on_the_notification_is_a_no_whatever_is_saved_then(
    bus: SessionBus, telling: Telling, gnome: Gnome
) -> None:
    gnome.begin()
    assert not gnome.was_cancelled()
    telling.press()
    bus.answers["IsInhibited"] = [False]
    assert not gnome.look()
    assert gnome.was_cancelled()
    assert "Logout 1" not in bus.called


@pytest.mark.parametrize(
    ("error", "asked"), [(TimedOut("no answer"), 0), (HostError("no such method"), 1)]
)
def test_who_does_not_answer_is_not_asked_and_who_cannot_tell_is(
    bus: SessionBus, gnome: Gnome, error: HostError, asked: int
) -> None:
    """A logout that is asked of one that hangs would come when nobody wants it any more."""
    bus.answers["IsInhibited"] = error
    gnome.begin()
    gnome.look()
    assert bus.called.count("Logout 1") == asked


@pytest.mark.parametrize(("names", "hints"), [((NAME,), 0), ((NAME, "org.gnome.Shell"), 1)])
def test_the_shell_s_own_question_is_told_of(
    bus: SessionBus, gnome: Gnome, names: Sequence[str], hints: int
) -> None:
    bus.names, bus.answers["IsInhibited"] = set(names), [False]
    gnome.begin()
    first, *rest = gnome.waits_for()
    assert (first, len(rest)) == (EDITOR, hints)
    assert all("press Cancel there to stay" in hint for hint in rest)


def test_a_session_that_runs_again_has_been_cancelled(bus: SessionBus, gnome: Gnome) -> None:
    """MATE and Cinnamon tell of it by nothing else."""
    bus.answers["IsInhibited"] = [False]
    gnome.begin()
    seen = []
    for runs in (True, False, False, True):
        bus.answers["IsSessionRunning"] = [runs]
        seen.append(gnome.was_cancelled())
    assert seen == [False, False, False, True]


@pytest.mark.parametrize("answer", [TimedOut("no answer"), HostError("no such method"), [True]])
def test_who_never_says_that_it_ends_has_not_been_cancelled(
    bus: SessionBus, gnome: Gnome, answer: object
) -> None:
    bus.answers |= {"IsInhibited": [False], "IsSessionRunning": answer}
    gnome.begin()
    assert [gnome.was_cancelled() for _ in range(3)] == [False] * 3


def test_a_session_that_starts_while_a_program_objects_is_no_cancelled_logout(
    bus: SessionBus, gnome: Gnome
) -> None:
    gnome.begin()
    for runs in (False, True):
        bus.answers["IsSessionRunning"] = [runs]
        assert not gnome.was_cancelled()
