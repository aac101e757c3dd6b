"""A start whose countdown is over: whatever goes wrong then, it ends and is told."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from vfiod.daemon.background import OneEach
from vfiod.daemon.starts import Starts, Wish
from vfiod.errors import Busy, HostError
from vfiod.handoff.decision import readiness
from vfiod.handoff.decision.readiness import GuestFacts
from vfiod.model import Phase

WISH = Wish("win10", 1000, "alice", spares_others=True)


class Desk:
    """Starts whose countdown ends when the test says so."""

    def __init__(self) -> None:
        self.now: Callable[[], tuple[Phase, str]] = lambda: (Phase.HOST, "")
        self.over: list[Callable[[], object]] = []
        self.ended: list[tuple[str, bool, str]] = []
        self.asked = 0
        self.commands = SimpleNamespace(look=self._look)
        self.starts = Starts(
            cast("Any", self.commands),
            lambda _seconds, then: self.over.append(then),
            lambda: None,
            lambda *end: self.ended.append(end),
            lambda: self.now(),
        )

    def _look(self) -> str:
        self.asked += 1
        raise HostError("libvirt was not asked, or gave no answer within 90 s")

    def require_over(self, reason: str) -> None:
        """It is told why, and the next one may be asked for."""
        ((guest, runs, text),) = self.ended
        assert (guest, runs) == ("win10", False)
        assert text.startswith(f"win10 was not started: {reason}")
        self.starts.require_free()


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.starts.begin(WISH, 5)
    return desk


def test_a_service_that_is_stopped_takes_no_more_of_them(desk: Desk) -> None:
    desk.starts.close()
    desk.over[0]()
    ((_, _, text),) = desk.ended
    assert text == "win10 was not started: the vfiod service is being stopped"
    with pytest.raises(Busy, match="is being stopped"):
        desk.starts.begin(WISH, 5)
    assert desk.asked == 0


def test_nor_does_one_begin_whose_guest_was_looked_at_meanwhile(desk: Desk) -> None:
    """Its countdown is over, and libvirt takes its time to tell of the guests."""
    started: list[str] = []
    known = readiness.dump([GuestFacts("win10", state="shut off")])

    def look() -> str:
        desk.starts.close()
        return known

    desk.commands.look, desk.commands.start = look, started.append
    with pytest.raises(Busy, match="is being stopped"):
        desk.starts._start(WISH)
    assert started == []


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the limit of TasksMax= (systemd.resource-control(5))."""

    def fail(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)


@pytest.mark.usefixtures("no_threads")
def test_without_a_thread_a_start_is_over(desk: Desk) -> None:
    desk.over[0]()
    desk.require_over("the vfiod service could not begin the work: can't start new thread")


@pytest.mark.usefixtures("no_threads")
def test_without_a_thread_a_user_s_work_is_over() -> None:
    works = OneEach("begun this")
    for _ in "once", "again":
        assert isinstance(works.begin(1000, lambda: None).exception(), HostError)


@pytest.mark.parametrize(
    ("phase", "reason"),
    [(Phase.HANDOFF, "the devices are handed over to other (handoff)"),
     (Phase.GUEST, "the devices are handed over to other (guest)"),
     (Phase.RETURN, "the devices are on their way back from other"),
     (Phase.STUCK, "something is stuck after other")],
)  # fmt: skip
def test_a_countdown_that_ends_in_somebody_else_s_handoff_says_so(
    desk: Desk, phase: Phase, reason: str
) -> None:
    desk.now = lambda: (phase, "other")
    desk.over[0]()
    desk.require_over(reason)
    assert desk.asked == 0


def test_a_journal_that_cannot_be_read_then_is_the_end_of_it(desk: Desk) -> None:
    def fail() -> tuple[Phase, str]:
        raise HostError("the journal is damaged")

    desk.now = fail
    desk.over[0]()
    desk.require_over("the journal is damaged")
