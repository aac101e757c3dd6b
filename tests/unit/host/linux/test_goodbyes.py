"""How a person's own program is started, and that nothing it does reaches the service."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vfiod.errors import Busy, HostError, KernelStuck
from vfiod.host.goodbye import Answer, Outcome, encode
from vfiod.host.linux.goodbyes import LinuxGoodbyes
from vfiod.host.linux.process import Programs
from vfiod.model import Session

ALICE = Session("2", "alice", 1000, "seat0", "user", graphical=True)
DONE = Answer(Outcome.DONE)


class Recorded(Programs):
    """Starts nothing, and answers."""

    def __init__(self, answer: str | HostError) -> None:
        self.answer = answer
        self.argv: list[str] = []
        self.wanted: dict[str, Any] = {}

    def run(self, argv: Any, **wanted: Any) -> str:
        self.argv, self.wanted = list(argv), wanted
        if isinstance(self.answer, HostError):
            raise self.answer
        return self.answer


def always() -> None:
    """Somebody wants the answer."""


def goodbyes(programs: Programs) -> LinuxGoodbyes:
    return LinuxGoodbyes(programs, lambda _unit: None)


def log_out(programs: Programs, settle: float = 0) -> Answer:
    return goodbyes(programs).log_out(ALICE, "win10", seconds=60, settle=settle, go_on=always)


def test_it_runs_as_the_person_and_ends_with_its_time() -> None:
    programs = Recorded(encode(DONE))
    assert log_out(programs) == DONE
    argv = programs.argv
    assert {"--uid=1000", "--setenv=XDG_RUNTIME_DIR=/run/user/1000", "--wait", "--pipe"} <= {*argv}
    assert {"--property=RuntimeMaxSec=65", "--property=TimeoutStopSec=5"} <= {*argv}
    assert argv[argv.index("/usr/bin/vfiod") :] == [
        "/usr/bin/vfiod", "goodbye", "log-out", "2", "60", "--", "win10",
    ]  # fmt: skip
    assert (programs.wanted["seconds"], programs.wanted["most"]) == (75, 16384)


def test_it_is_told_how_long_to_watch_who_cannot_be_asked() -> None:
    programs = Recorded(encode(DONE))
    log_out(programs, settle=15)
    assert programs.argv[-6:] == ["log-out", "--settle=15", "2", "60", "--", "win10"]


@pytest.mark.parametrize(
    ("guest", "word"), [("win10", "win10"), ("-n $HOME %u", "-n $$HOME %u"), ("客人", "客人")]
)
def test_a_guest_s_name_stays_one_word_that_nobody_expands(guest: str, word: str) -> None:
    programs = Recorded(encode(DONE))
    goodbyes(programs).announce(ALICE, guest, seconds=10, go_on=always)
    assert programs.argv[-5:] == ["announce", "2", "10", "--", word]


def test_no_answer_is_told_in_words() -> None:
    programs = Recorded(HostError("systemd-run failed: \x1b[2J"))
    with pytest.raises(HostError, match="alice could not be asked, or gave no answer") as caught:
        log_out(programs)
    assert "journalctl -b -u vfiod-goodbye-1-" in caught.value.hint


def test_what_hangs_in_the_kernel_is_told_as_that() -> None:
    with pytest.raises(KernelStuck, match="hangs"):
        log_out(Recorded(KernelStuck("it hangs")))


# An answer that nobody wants any more


class Waiting(Programs):
    """Runs what waits until somebody ends it, or says something at once."""

    def __init__(self, pipe: Path) -> None:
        super().__init__()
        os.mkfifo(pipe)
        self._pipe = pipe
        self.stopped: list[str] = []
        self.misses = 0

    def run(self, argv: Any, **wanted: Any) -> str:
        return super().run(["cat", str(self._pipe)], **wanted)

    def stop(self, unit: str) -> None:
        """As systemd does, which has not begun it at first."""
        self.stopped.append(unit)
        if len(self.stopped) <= self.misses:
            raise HostError("systemd is executed anew")
        self._pipe.write_text("")


@pytest.fixture
def waiting(tmp_path: Path) -> Waiting:
    return Waiting(tmp_path / "pipe")


def after(looks: int) -> Callable[[], None]:
    """Nobody wants it after so many looks."""
    left = [looks]

    def go_on() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Busy("win10 was not started: the host is shutting down")

    return go_on


@pytest.mark.parametrize("misses", [0, 2])
def test_a_wait_for_people_ends_when_nobody_wants_their_answer(
    waiting: Waiting, misses: int
) -> None:
    """An hour is what they have."""
    waiting.misses = misses
    asked, began = LinuxGoodbyes(waiting, waiting.stop), time.monotonic()
    with pytest.raises(Busy, match="the host is shutting down"):
        asked.log_out(ALICE, "win10", seconds=3600, settle=0, go_on=after(2))
    assert time.monotonic() - began < 60
    assert len(waiting.stopped) == misses + 1
    assert waiting.stopped[0].startswith("vfiod-goodbye-1-")
    assert waiting.stopped[0].endswith(".service")


def test_nobody_is_asked_for_what_nobody_wants() -> None:
    programs = Recorded(encode(DONE))
    with pytest.raises(Busy):
        goodbyes(programs).announce(ALICE, "win10", seconds=60, go_on=after(0))
    assert programs.argv == []


@pytest.mark.parametrize("answer", [HostError("the unit was stopped"), encode(DONE)])
def test_a_host_that_ends_the_program_itself_is_the_reason(answer: str | HostError) -> None:
    with pytest.raises(Busy, match="the host is shutting down"):
        goodbyes(Recorded(answer)).announce(ALICE, "win10", seconds=60, go_on=after(1))


# The file in memory that it prints to


def run(program: str, most: int | None = 100) -> str:
    argv = [sys.executable, "-c", program]
    return Programs().run(argv, subject="test", seconds=20, most=most)


def test_what_is_printed_is_read_without_what_it_was_filled_with() -> None:
    assert run("print('x' * 9)") == "x" * 9 + "\n"
    assert run("pass") == ""


@pytest.mark.parametrize("number", [1, 2])
def test_more_than_its_room_cannot_be_printed(number: int) -> None:
    greedy = f"import os; os.write({number}, b'x' * 100); os.write({number}, b'x')"
    with pytest.raises(HostError):
        run(greedy)
    with pytest.raises(HostError):
        run(f"import os; os.ftruncate({number}, 10**9)")
    with pytest.raises(HostError):
        run(f"import os; os.ftruncate({number}, 1)")


def test_without_a_bound_there_is_none() -> None:
    assert len(run("print('x' * 10**6)", most=None)) == 10**6 + 1
