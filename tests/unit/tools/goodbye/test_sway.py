"""sway's IPC, against one that speaks it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.tools.goodbye.standin import HEAD, FakeSway
from vfiod.errors import HostError
from vfiod.host.goodbye import Answer, Outcome
from vfiod.tools.goodbye import farewell
from vfiod.tools.goodbye.surroundings import Surroundings
from vfiod.tools.goodbye.sway import Sway, socket_of
from vfiod.tools.goodbye.windows import Window, Windows

WINDOWS = {11: "foot", 12: "firefox", 13: "GIMP"}


@pytest.fixture
def path(run_directory: Path) -> Path:
    return run_directory / "sway.sock"


@pytest.fixture
def sway(path: Path) -> Iterator[FakeSway]:
    found = FakeSway(path, WINDOWS, frozenset())
    yield found
    found.close()


def log_out(sway: FakeSway, path: Path, seconds: float = 20) -> Answer:
    desktop = Windows(Sway(path), lambda: sway.ended)
    return farewell.log_out(desktop, lambda: False, seconds=seconds)


def test_windows_of_both_kinds_are_found_and_bars_are_none(sway: FakeSway, path: Path) -> None:
    assert list(Sway(path).windows()) == [
        Window("12", "firefox"), Window("13", "GIMP"), Window("11", "foot"),
    ]  # fmt: skip


def test_each_window_is_closed_before_it_is_told_to_end(sway: FakeSway, path: Path) -> None:
    assert log_out(sway, path) == Answer(Outcome.DONE)
    assert sorted(sway.commands[:-1]) == [f"[con_id={number}] kill" for number in WINDOWS]
    assert sway.commands[-1] == "exit"


def test_a_window_that_asks_holds_it_up_and_is_named(sway: FakeSway, path: Path) -> None:
    sway.stubborn = frozenset({13})
    assert log_out(sway, path, 1.5) == Answer(Outcome.UNANSWERED, ("GIMP",))
    assert not sway.ended
    assert sway.windows == {13: "GIMP"}


@pytest.mark.parametrize(
    "says", [b"", b"i3-ipc", HEAD.pack(b"i3-ipc", 2**31, 4), HEAD.pack(b"GET / ", 2, 4) + b"{}",
             HEAD.pack(b"i3-ipc", 2, 4) + b"{]", HEAD.pack(b"i3-ipc", 9000, 4) + b"[" * 9000]
)  # fmt: skip
def test_one_that_answers_nonsense_is_told_in_words(
    sway: FakeSway, path: Path, says: bytes
) -> None:
    sway.says = says
    with pytest.raises(HostError):
        Sway(path).windows()
    answer = log_out(sway, path, 2)
    assert answer.outcome is Outcome.FAILED
    assert len(answer.waits_for) == 1


def test_a_title_that_is_not_utf_8_hides_no_window(sway: FakeSway, path: Path) -> None:
    body = b'{"id": 7, "pid": 500, "app_id": "mpv", "name": "M\xfcller.mkv"}'
    sway.says = HEAD.pack(b"i3-ipc", len(body), 4) + body
    assert list(Sway(path).windows()) == [Window("7", "mpv")]


def test_one_that_falls_silent_has_not_ended(sway: FakeSway, path: Path) -> None:
    desktop = Windows(Sway(path), lambda: False)
    desktop.begin()
    sway.says = b""
    assert not desktop.look()


def test_where_each_has_its_socket() -> None:
    run = Path("/run/user/1000")
    assert socket_of(Surroundings(run, {}, "sway", 77)) == run / "sway-ipc.1000.77.sock"
    assert socket_of(Surroundings(run, {}, "i3", 77)) == run / "i3/ipc-socket.77"
