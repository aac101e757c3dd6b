"""What journald gets to read, and what becomes of an entry that it does not read."""

import array
import fcntl
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from vfiod.util.journald import Journald, encode


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[socket.socket]:
    """journald's end, which reads when the test says so."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "socket"))
        end.settimeout(10)
        yield end


def fill(journald: Journald) -> int:
    """Entries until the queue is full."""
    taken = 0
    while journald.take(b"MESSAGE=x\n", wait=False):
        taken += 1
    return taken


def test_a_value_of_one_line_and_one_of_several() -> None:
    entry = encode({"MESSAGE": "a\nbü", "PRIORITY": "5"})
    assert entry == b"MESSAGE\n\x05\0\0\0\0\0\0\0a\nb\xc3\xbc\nPRIORITY=5\n"


def test_a_name_that_is_no_text_is_told_all_the_same() -> None:
    assert encode({"MESSAGE": os.fsdecode(b"rom-\xff")}) == b"MESSAGE=rom-\\udcff\n"


def test_an_entry_is_one_datagram(tmp_path: Path, reader: socket.socket) -> None:
    assert Journald(tmp_path / "socket").take(b"MESSAGE=x\n", wait=True)
    assert reader.recv(100) == b"MESSAGE=x\n"


def test_an_entry_too_big_for_a_datagram_comes_in_sealed_memory(
    tmp_path: Path, reader: socket.socket
) -> None:
    entry = encode({"MESSAGE": "x" * 4_000_000})
    assert Journald(tmp_path / "socket").take(entry, wait=True)
    data, rights, _, _ = reader.recvmsg(100, 100)
    ((_, kind, fds),) = rights
    with open(array.array("i", fds)[0], "rb") as file:
        seals = fcntl.fcntl(file, fcntl.F_GET_SEALS)
        assert (data, kind) == (b"", socket.SCM_RIGHTS)
        assert os.pread(file.fileno(), len(entry) + 1, 0) == entry
    # journald: journald-native.c and memfd-util.c, memfd_get_sealed().
    needed = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
    assert seals & needed == needed


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("entry", [b"MESSAGE=x\n", b"MESSAGE=" + b"x" * 4_000_000 + b"\n"])
def test_a_journald_that_does_not_read_is_not_waited_for_without_an_end(
    tmp_path: Path, entry: bytes
) -> None:
    journald, taken = Journald(tmp_path / "socket", seconds=0.1), list[bool]()
    assert fill(journald)
    thread = threading.Thread(
        target=lambda: taken.append(journald.take(entry, wait=True)), daemon=True
    )
    thread.start()
    thread.join(10)
    assert taken == [False]


def test_a_journald_that_is_late_is_waited_for(tmp_path: Path, reader: socket.socket) -> None:
    journald = Journald(tmp_path / "socket", seconds=30)
    assert fill(journald)
    threading.Timer(0.05, reader.recv, (100,)).start()
    assert journald.take(b"MESSAGE=late\n", wait=True)


def test_a_host_without_journald_is_none_that_fails(tmp_path: Path) -> None:
    assert not Journald(tmp_path / "socket").take(b"MESSAGE=x\n", wait=True)
