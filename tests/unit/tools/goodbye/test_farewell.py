"""Who logs out by themselves while they are asked to."""

from collections.abc import Sequence

from vfiod.host.goodbye import Answer, Outcome
from vfiod.tools.goodbye import farewell


class Ending:
    """A session that logind lets go after so many looks; -1 for never."""

    def __init__(self, looks: int) -> None:
        self._left = looks

    def __call__(self) -> bool:
        self._left -= 1
        return self._left == -1


class Closing:
    """A desktop that takes no question, as it is ending already; it is gone after two looks."""

    patience = 60.0

    def __init__(self) -> None:
        self.looks = self.begun = self.withdrawn = 0

    def begin(self) -> None:
        self.begun += 1

    def look(self) -> bool:
        self.looks += 1
        return self.looks > 2

    def was_cancelled(self) -> bool:
        return False

    def has_failed(self) -> bool:
        return True

    def waits_for(self) -> Sequence[str]:
        return ["Logout is only available while the session runs"]

    def withdraw(self) -> None:
        self.withdrawn += 1


NO = Answer(Outcome.FAILED, ("Logout is only available while the session runs",))


def test_a_session_that_is_over_has_logged_out() -> None:
    desktop = Closing()
    for each in (None, desktop):
        assert farewell.log_out(each, lambda: True, seconds=60) == Answer(Outcome.DONE)
    assert desktop.begun == 0


def test_a_desktop_that_has_just_gone_is_no_desktop_that_cannot_be_asked() -> None:
    answer = farewell.log_out(None, Ending(3), seconds=60, settle=30)
    assert answer == Answer(Outcome.DONE)


def test_a_manager_that_says_no_because_it_ends_has_logged_out() -> None:
    desktop = Closing()
    answer = farewell.log_out(desktop, lambda: False, seconds=60, settle=30)
    assert (answer, desktop.withdrawn) == (Answer(Outcome.DONE), 0)


def test_nobody_waits_for_that_where_it_makes_no_difference() -> None:
    desktop = Closing()
    assert farewell.log_out(desktop, lambda: False, seconds=60) == NO
    assert (desktop.looks, desktop.withdrawn) == (2, 1)
    assert farewell.log_out(None, lambda: False, seconds=60) == Answer(Outcome.NOBODY)


def test_it_is_part_of_the_time() -> None:
    answer = farewell.log_out(None, lambda: False, seconds=1.5, settle=1e6)
    assert answer == Answer(Outcome.NOBODY)


# Told to end before the time is over


class Open(Closing):
    """A desktop that asks about what is open, until it is told not to."""

    def look(self) -> bool:
        self.looks += 1
        return False

    def has_failed(self) -> bool:
        return False


def test_who_is_told_to_end_asks_nobody_any_more() -> None:
    desktop = Open()
    farewell.log_out(desktop, lambda: False, seconds=60, told=lambda: True)
    assert (desktop.begun, desktop.looks, desktop.withdrawn) == (0, 0, 1)


def test_what_was_asked_is_taken_back_then() -> None:
    desktop = Open()

    def told() -> bool:
        return desktop.looks == 2

    answer = farewell.log_out(desktop, lambda: False, seconds=1e6, settle=1e6, told=told)
    assert (desktop.begun, desktop.withdrawn) == (1, 1)
    assert answer == Answer(Outcome.UNANSWERED)


def test_nor_is_one_waited_for_that_may_be_ending() -> None:
    looks = Ending(10**9)
    answer = farewell.log_out(None, looks, seconds=1e6, settle=1e6, told=lambda: True)
    assert answer == Answer(Outcome.NOBODY)
