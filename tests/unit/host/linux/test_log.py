"""Events on their way to journald."""

import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from systemd import journal  # type: ignore[attr-defined]
from vfiod.events import Event, Kind
from vfiod.host.linux.log import Log, to_fields
from vfiod.util.journald import Journald

DONE = Event(Kind.STEP_DONE, "card unbound", {"GUEST": "win10", "STEP": ""})
_WAIT = 0.2


class Reader:
    """journald's end."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))

    def read(self) -> Sequence[dict[str, str]]:
        """All that has come so far."""
        return list(self._entries())

    def _entries(self) -> Iterator[dict[str, str]]:
        while True:
            try:
                lines = self._socket.recv(65536, socket.MSG_DONTWAIT).decode().splitlines()
            except BlockingIOError:
                return
            yield dict(line.split("=", 1) for line in lines)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    end = Reader(tmp_path / "socket")
    yield end
    end.close()


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(Journald(tmp_path / "socket", seconds=_WAIT))


def test_an_entry_has_the_fields_that_libsystemd_would_send(
    log: Log, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(journal, "sendv", lambda *lines: sent.extend(lines))
    fields = to_fields(DONE)
    journal.send(fields.pop("MESSAGE"), **fields)
    log.send(DONE)
    theirs = dict(line.split("=", 1) for line in sent)
    (ours,) = reader.read()
    assert ours.keys() == theirs.keys()
    where = {"CODE_FILE", "CODE_LINE", "CODE_FUNC"}
    assert {n: v for n, v in ours.items() if n not in where} == to_fields(DONE)
    assert (ours["CODE_FILE"].rsplit("/", 1)[1], ours["CODE_FUNC"]) == ("log.py", "send")


def test_a_journald_that_does_not_read_is_waited_for_once(log: Log, reader: Reader) -> None:
    began = time.monotonic()
    for _ in range(1000):
        log.send(DONE)
    assert time.monotonic() - began < 50 * _WAIT
    assert 0 < len(reader.read()) < 1000


def test_what_was_not_taken_is_told_once_something_is(log: Log, reader: Reader) -> None:
    for _ in range(1000):
        log.send(DONE)
    lost = 1000 - len(reader.read())
    log.send(DONE)
    log.send(DONE)
    told, *others = reader.read()
    assert told["MESSAGE"].startswith(f"the system journal did not take {lost} messages of vfiod")
    assert told["MESSAGE_ID"] == Kind.REMARK.value
    assert [entry["MESSAGE"] for entry in others] == [DONE.message] * 2


def test_a_journald_that_reads_again_is_waited_for_again(
    log: Log, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(1000):
        log.send(DONE)
    reader.read()
    log.send(DONE)
    waits: list[bool] = []
    monkeypatch.setattr(Journald, "take", lambda _self, _entry, *, wait: waits.append(wait))
    log.send(DONE)
    log.send(DONE)
    assert waits == [True, False, False]


def test_a_journald_that_comes_later_is_told_what_it_missed(log: Log, tmp_path: Path) -> None:
    log.send(DONE)
    reader = Reader(tmp_path / "socket")
    log.send(DONE)
    told, done = reader.read()
    reader.close()
    assert "did not take 1 message of vfiod" in told["MESSAGE"]
    assert done["MESSAGE"] == DONE.message
