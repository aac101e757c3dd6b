"""Processes that never answer: FIFOs that nobody writes to stand for their files in /proc."""

import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from tests.fakes.tree import Contents, Link, grow
from vfiod.errors import HostError
from vfiod.events import Event
from vfiod.host.linux import looks
from vfiod.host.linux.looks import Looks
from vfiod.host.linux.processes import LinuxProcesses
from vfiod.host.linux.programs import programs_of
from vfiod.model import Program

LONG = 60.0
STUCK, OTHER = 4711, 4712
SCOPE = "session-2.scope"
Result = TypeVar("Result")


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "SECONDS", 0.5)
    monkeypatch.setattr(looks, "LEAST", 0.5)


def in_time(task: Callable[[], Result]) -> Result:
    """What it gives; whether it waits for ever is what is tested."""
    given: list[Result] = []
    thread = threading.Thread(target=lambda: given.append(task()), daemon=True)
    thread.start()
    thread.join(LONG)
    assert given, "it waits"
    return given[0]


def answer(file: Path, text: str) -> None:
    """Those that wait for the file get this, and from now on everybody else."""
    fd = os.open(file, os.O_RDWR)
    os.write(fd, text.encode())
    file.unlink()
    file.write_text(text)
    os.close(fd)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline


def workers() -> int:
    return sum(thread.name == "look" for thread in threading.enumerate())


def mapped(path: str) -> str:
    return f"00a00000-00b00000 rw-s 00000000 00:06 4   {path}\n"


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """One process that has both vfio groups open and does not answer for its mappings, and
    another that has one of them mapped.
    """
    group = Link("/dev/null")
    files: dict[str, Contents] = {
        "dev/vfio/10": group,
        f"proc/{STUCK}/fd/0": Link("/dev/zero"),
        f"proc/{STUCK}/fd/3": group,
        f"proc/{STUCK}/comm": "java\n",
        f"proc/{OTHER}/comm": "qemu\n",
        f"proc/{OTHER}/fd/0": Link("/dev/zero"),
        f"proc/{OTHER}/maps": mapped("/dev/vfio/10"),
    }
    grow(tmp_path, files)
    maps = tmp_path / f"proc/{STUCK}/maps"
    os.mkfifo(maps)
    before = workers()
    yield tmp_path
    if maps.is_fifo():
        answer(maps, "")
    until(lambda: workers() == before)


def test_a_process_that_never_answers_holds_nobody_up(root: Path) -> None:
    """What it has open counts, it is told once, and nobody is sent after it again."""
    told: list[Event] = []
    processes = LinuxProcesses(root, report=told.append)
    for _ in range(3):
        holders = in_time(lambda: processes.vfio_holders([10]))
        assert {(h.pid, h.node) for h in holders} == {
            (STUCK, "/dev/vfio/10"), (OTHER, "/dev/vfio/10"),
        }  # fmt: skip
        assert len(holders) == 2
    assert workers() == 1
    assert [event.message.partition(" has mapped")[0] for event in told] == ["what java (pid 4711)"]


def test_once_it_answers_it_is_asked_again(root: Path) -> None:
    (root / f"proc/{STUCK}/fd/3").unlink()
    processes = LinuxProcesses(root, report=lambda _: None)

    def found() -> set[int]:
        return {h.pid for h in in_time(lambda: processes.vfio_holders([10]))}

    assert found() == {OTHER}
    answer(root / f"proc/{STUCK}/maps", mapped("/dev/vfio/10"))
    until(lambda: found() == {STUCK, OTHER})


def test_a_log_that_is_away_is_no_hindrance(root: Path) -> None:
    def report(_event: Event) -> None:
        raise OSError("the journal is away")

    processes = LinuxProcesses(root, report=report)
    assert len(in_time(lambda: processes.vfio_holders([10]))) == 2


def test_a_program_that_does_not_say_how_it_was_called_is_work_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "proc"))
    stat = f"{STUCK} (java) S 1 {' '.join(['0'] * 48)}\n"
    group = f"0::/user.slice/user-1000.slice/{SCOPE}\n"
    grow(tmp_path, {"proc/stat": "btime 1700000000\n", f"proc/{STUCK}/stat": stat,
                    f"proc/{STUCK}/cgroup": group, f"proc/{STUCK}/comm": "java\n"})  # fmt: skip
    os.mkfifo(tmp_path / f"proc/{STUCK}/cmdline")
    assert in_time(lambda: programs_of([SCOPE], tmp_path)) == [Program("java", SCOPE)]
    answer(tmp_path / f"proc/{STUCK}/cmdline", "java\0")
    until(lambda: not workers())


def test_one_that_does_not_answer_at_all_is_left_out() -> None:
    wait = threading.Event()

    def begin(_silent: AbstractSet[int]) -> Callable[[int], Iterator[str]]:
        def look(pid: int) -> Iterator[str]:
            if pid == STUCK:
                wait.wait()
            yield "a node"

        return look

    told: list[int] = []
    found = in_time(lambda: Looks(told.append).at([STUCK, OTHER], begin))
    assert (found, told) == ([(OTHER, "a node")], [STUCK])
    wait.set()
    until(lambda: not workers())


def test_what_goes_wrong_in_a_look_is_not_lost() -> None:
    def look(_pid: int) -> Iterator[str]:
        raise LookupError("what no look is meant to do")

    with pytest.raises(LookupError, match="no look"):
        Looks().at([1], lambda _silent: look)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_who_cannot_be_looked_at_is_not_taken_for_ended(number: int) -> None:
    """Whoever has the device open would be unbound from under itself."""

    def look(_pid: int) -> Iterator[str]:
        raise OSError(number, os.strerror(number))

    with pytest.raises(HostError, match=f"cannot be seen: {os.strerror(number)}"):
        Looks().at([STUCK], lambda _silent: look)


def test_who_has_ended_meanwhile_is_no_error() -> None:
    def look(pid: int) -> Iterator[str]:
        if pid == STUCK:
            raise ProcessLookupError(errno.ESRCH, "No such process")
        yield "a node"

    assert Looks().at([STUCK, OTHER], lambda _silent: look) == [(OTHER, "a node")]


def test_processes_that_cannot_be_listed_are_not_taken_for_none(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.listdir

    def listdir(path: Any) -> list[Any]:
        if path == root / "proc":
            raise OSError(errno.EMFILE, "Too many open files")
        return real(path)

    monkeypatch.setattr(os, "listdir", listdir)
    with pytest.raises(HostError, match="cannot be seen: Too many open files"):
        LinuxProcesses(root).vfio_holders([10])


def test_without_a_thread_nothing_is_taken_for_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(HostError, match="no thread starts"):
        Looks().at([1], lambda _silent: lambda _pid: iter(()))


def test_a_thread_that_is_left_behind_hinders_no_end(root: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from vfiod.host.linux import looks;"
        "from vfiod.host.linux.processes import LinuxProcesses; looks.SECONDS = 0.1;"
        "print(len(LinuxProcesses(Path(sys.argv[1]), report=print).vfio_holders([10])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)],
        cwd=Path(__file__).parents[4], capture_output=True, text=True, timeout=LONG, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "2"), done.stderr
