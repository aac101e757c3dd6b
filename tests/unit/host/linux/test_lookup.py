"""Whether files are there, with servers that refuse and servers that never answer."""

import errno
import os
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from vfiod.host.linux.kernelcall_client import CallClient
from vfiod.host.linux.lookup import ABSENT, SILENT, Lookup

LONG, SHORT = 60.0, 0.1
NAS = "/mnt/nas/win10.qcow2"


class Server(CallClient):
    """Answers for NAS as it is told to; ``pid`` is the process that waits for it."""

    def __init__(self, answer: bytes, pid: int) -> None:
        super().__init__()
        self.answer, self.pid = answer, pid
        self.asked: list[str] = []
        self.open: list[int] = []

    def ask(self, operation: str, words: Sequence[str]) -> int:
        self.asked += words
        if words[0] != NAS:
            return super().ask(operation, words)
        read, write = os.pipe()
        os.write(write, b"%d\n%b" % (self.pid, self.answer))
        if self.answer:
            os.close(write)
        else:
            self.open.append(write)
        return read


def test_missing_files(tmp_path: Path) -> None:
    (tmp_path / "disk").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    paths = [str(tmp_path / name) for name in ("disk", "absent", "dangling", "disk/below")]
    assert Lookup().missing(paths, seconds=LONG) == dict.fromkeys(paths[1:], ABSENT)
    assert Lookup().missing([], seconds=LONG) == {}


def test_an_interface_by_another_name_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """/sys lists each by one name; the kernel knows its altname as well."""

    def number(name: str) -> int:
        if name != "enp5s0":
            raise OSError(errno.ENODEV, "no such device")
        return 2

    monkeypatch.setattr(socket, "if_nametoindex", number)
    paths = ["/sys/class/net/enp5s0", "/sys/class/net/br0"]
    assert Lookup().missing(paths, seconds=LONG) == {paths[1]: ABSENT}


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOTCONN, errno.ESTALE, errno.EIO])
def test_what_cannot_be_looked_at_may_well_be_there(number: int) -> None:
    assert Lookup(Server(b"=%d" % number, os.getpid())).missing([NAS], seconds=LONG) == {}


def test_a_look_that_is_killed_says_nothing() -> None:
    assert Lookup(Server(b"?", os.getpid())).missing([NAS], seconds=LONG) == {}


def test_what_does_not_answer_is_left_behind(tmp_path: Path) -> None:
    """And asked after once, until the process that waits has ended."""
    waiting = subprocess.Popen(["sleep", "1000"])
    try:
        server = Server(b"", waiting.pid)
        lookup = Lookup(server)
        lookup.missing([str(tmp_path)], seconds=LONG)  # the process that looks has started
        assert lookup.missing([NAS], seconds=SHORT) == {NAS: SILENT}
        paths = [NAS, str(tmp_path), str(tmp_path / "absent")]
        again = lookup.missing(paths, seconds=LONG)
        assert again == {NAS: SILENT, paths[2]: ABSENT}
        assert server.asked.count(NAS) == 1
    finally:
        waiting.kill()
        waiting.wait()
    server.answer = b"=0"
    deadline = time.monotonic() + LONG
    while lookup.missing([NAS], seconds=LONG) and time.monotonic() < deadline:
        pass
    assert server.asked.count(NAS) == 2
