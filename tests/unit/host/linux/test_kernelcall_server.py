"""The process that is kept for kernel calls: it and its children may be killed at any time."""

import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.lab.emulator.waiting import wait_until
from vfiod.errors import HostError, KernelStuck
from vfiod.host.linux import kernelcall_server
from vfiod.host.linux.kernelcall import KernelCalls

DEVICE = "0000:01:00.0"


class Kept:
    """Kernel calls and the process that is kept for them."""

    def __init__(self) -> None:
        before = set(psutil.Process().children())
        self.calls = KernelCalls()
        self.calls.warm_up()
        (self.server,) = set(psutil.Process().children()) - before

    def caller(self) -> psutil.Process:
        """The child that waits in the kernel, once it does."""

        def sleeping() -> list[psutil.Process]:
            found = self.server.children()
            return [child for child in found if child.status() == psutil.STATUS_SLEEPING]

        return wait_until("the call", sleeping, timeout=20, pause=0.01)[0]

    def wait_for_the_end_of_calls(self) -> None:
        wait_until("their end", lambda: not self.server.children(), timeout=20, pause=0.01)

    def write(self, path: Path, seconds: float = 20) -> None:
        self.calls.write(path, "x", subject=DEVICE, seconds=seconds)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """Without a reader it holds a writer in open(2)."""
    os.mkfifo(tmp_path / "unbind")
    return tmp_path / "unbind"


@pytest.fixture
def worker() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_a_kernel_that_crashes_takes_the_caller_along(
    kept: Kept, fifo: Path, worker: ThreadPoolExecutor
) -> None:
    call = worker.submit(kept.write, fifo)
    kept.caller().kill()
    with pytest.raises(HostError, match=rf"the kernel crashed in unbind of {DEVICE}"):
        call.result()


def test_one_process_is_kept_for_all_calls(kept: Kept, tmp_path: Path) -> None:
    for name in ("unbind", "bind"):
        (tmp_path / name).touch()
        kept.write(tmp_path / name)
    assert kept.server.is_running()
    kept.wait_for_the_end_of_calls()


def test_a_call_that_hangs_holds_up_no_other(
    kept: Kept, fifo: Path, tmp_path: Path, worker: ThreadPoolExecutor
) -> None:
    hanging = worker.submit(kept.write, fifo)
    caller = kept.caller()
    (tmp_path / "probe").touch()
    for _ in range(3):
        kept.calls.write(tmp_path / "probe", "x", subject="0000:02:00.0", seconds=20)
    assert not hanging.done()
    caller.kill()
    with pytest.raises(HostError):
        hanging.result()


def test_many_at_the_same_time_get_each_its_own_answer(
    kept: Kept, tmp_path: Path, worker: ThreadPoolExecutor
) -> None:
    def read(number: int) -> str:
        path = tmp_path / str(number)
        path.write_text(f"{number}\n")
        return kept.calls.read(path, subject=str(number), seconds=20)

    assert list(worker.map(read, range(64))) == [str(number) for number in range(64)]


def test_an_answer_longer_than_a_pipe_holds(kept: Kept, tmp_path: Path) -> None:
    rom = os.urandom(3 * 2**20)
    (tmp_path / "rom").write_bytes(rom)
    assert kept.calls.read_bytes(tmp_path / "rom", subject=DEVICE, seconds=20) == rom


def test_the_next_call_starts_another_when_it_was_killed(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "unbind").touch()
    kept.server.kill()
    kept.server.wait(20)
    kept.write(tmp_path / "unbind")
    assert (tmp_path / "unbind").read_text() == "x"


def test_a_call_lives_on_when_it_was_killed(
    kept: Kept, fifo: Path, worker: ThreadPoolExecutor
) -> None:
    call = worker.submit(kept.write, fifo)
    kept.caller()
    kept.server.kill()
    with fifo.open() as reader:
        assert reader.read() == "x"
    assert call.result() is None


def test_nothing_more_is_written_once_it_was_killed(
    kept: Kept, fifo: Path, tmp_path: Path, worker: ThreadPoolExecutor
) -> None:
    """As it ends with vfiod: another vfiod may be putting things back by then."""
    (tmp_path / "drivers_probe").touch()
    writes = [(fifo, "x"), (tmp_path / "drivers_probe", "x")]
    call = worker.submit(kept.calls.write_all, writes, subject=DEVICE, seconds=20)
    kept.caller()
    kept.server.kill()
    kept.server.wait(20)
    with fifo.open() as reader:
        assert reader.read() == "x"
    with pytest.raises(HostError, match=r"^drivers_probe of .* was not touched: vfiod-call"):
        call.result()
    assert (tmp_path / "drivers_probe").read_text() == ""


def test_a_call_that_hangs_does_not_hide_that_it_was_killed(
    kept: Kept, fifo: Path, tmp_path: Path, worker: ThreadPoolExecutor
) -> None:
    hanging = worker.submit(kept.write, fifo)
    caller = kept.caller()
    kept.server.kill()
    kept.server.wait(20)
    (tmp_path / "probe").touch()
    kept.calls.write(tmp_path / "probe", "x", subject="0000:02:00.0", seconds=1)
    caller.kill()
    with pytest.raises(HostError):
        hanging.result()


def test_one_that_does_not_answer_is_replaced_and_does_nothing_later(
    kept: Kept, tmp_path: Path
) -> None:
    (tmp_path / "unbind").touch()
    kept.server.suspend()
    with pytest.raises(HostError, match=r"unbind of .* was not touched"):
        kept.write(tmp_path / "unbind", 0.1)
    assert not kept.server.is_running()
    assert (tmp_path / "unbind").read_text() == ""
    kept.write(tmp_path / "unbind")
    assert (tmp_path / "unbind").read_text() == "x"


def test_a_subject_is_free_once_the_call_that_hung_has_ended(kept: Kept, fifo: Path) -> None:
    with pytest.raises(KernelStuck):
        kept.write(fifo, 1)
    with pytest.raises(KernelStuck, match=f"still busy with {DEVICE}"):
        kept.calls.require_free(DEVICE)
    assert fifo.read_text() == "x"
    kept.wait_for_the_end_of_calls()
    kept.calls.require_free(DEVICE)


def test_it_goes_with_its_client(kept: Kept) -> None:
    server = kept.server
    del kept.calls
    assert not server.is_running()


def test_what_ends_the_service_does_not_end_it(kept: Kept, tmp_path: Path) -> None:
    """systemctl stop lets the operation under way end."""
    (tmp_path / "unbind").touch()
    kept.write(tmp_path / "unbind")
    kept.server.send_signal(signal.SIGTERM)
    kept.write(tmp_path / "unbind")
    assert kept.server.is_running()


def test_no_process_for_a_call_is_told(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's fork fails: the pipe ends without a word."""

    def unanswered(_requests: socket.socket, _data: object, _fds: object) -> int:
        return 0

    monkeypatch.setattr(socket, "send_fds", unanswered)
    with pytest.raises(HostError, match=rf"unbind of {DEVICE} was not touched: the process for it"):
        kept.write(Path("/unbind"))


def test_a_fork_that_fails_leaves_the_server_running(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", full)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    answer, pipe = os.pipe()
    socket.send_fds(ours, [b"read\0\0/etc/hostname"], [pipe])
    os.close(pipe)
    ours.shutdown(socket.SHUT_WR)
    kernelcall_server.serve(theirs)
    assert os.read(answer, 1) == b""
