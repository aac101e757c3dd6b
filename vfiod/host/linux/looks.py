"""Looks at one process after the other, any of which may never answer.

What a process has mapped and its command line are read under its mmap_lock (kernel: m_start() in
fs/proc/task_mmu.c up to 6.16, access_remote_vm() in mm/memory.c). One that waits in mmap(2) for a
server that is away keeps it locked (nfs_file_mmap()). So it is a thread that looks, and it is left
behind at a process that does not answer; as long as it waits there, nobody else is sent after it.

A thread, because that costs a look at all processes next to nothing. It hinders no end of vfiod's:
these waits are killable (mmap_read_lock_killable(), since Linux 5.3), and nobody joins it.
"""

import errno
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Generic, TypeVar

from vfiod.errors import HostError

Found = TypeVar("Found")
# What says nothing of a process: taken for its end, who has a device open would not be seen.
_SHORT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
# With several that do not answer it is not waited as long for each.
SECONDS, LEAST = 2.0, 0.25


class Looks:
    """Remembers who does not answer. ``tell`` is called with each such process. For any thread."""

    def __init__(self, tell: Callable[[int], object] = lambda _pid: None) -> None:
        self._tell = tell
        self._behind: dict[int, threading.Thread] = {}

    def at(
        self,
        pids: Iterable[int],
        begin: Callable[[AbstractSet[int]], Callable[[int], Iterator[Found]]],
    ) -> list[tuple[int, Found]]:
        """What is found at each process, once each; one may end while it is looked at.

        ``begin`` gets those that do not answer and makes what looks at a process. That says first
        what it knows without their answer, and is used by one thread alone. Raises HostError if
        there can be no thread, or no look for want of descriptors or memory.
        """
        left, patience = list(pids), SECONDS
        found: dict[tuple[int, Found], None] = {}
        while left:
            silent = self._silent()
            worker = _Worker(left, begin(silent))
            _start(worker)
            stuck = worker.wait(patience)
            found |= dict.fromkeys(tuple(worker.found))
            if stuck is None:
                break
            if left[stuck] in silent:
                stuck += 1
            else:
                self._behind[left[stuck]] = worker
                self._tell(left[stuck])
            left, patience = left[stuck:], max(patience / 2, LEAST)
        return list(found)

    def _silent(self) -> AbstractSet[int]:
        """The processes at which a thread waits."""
        for pid, worker in list(self._behind.items()):
            if not worker.is_alive():
                self._behind.pop(pid, None)
        return frozenset(self._behind)


def unseen(error: Exception) -> HostError:
    """The error of a look that says nothing."""
    reason = error.strerror if isinstance(error, OSError) else "no thread starts"
    short = HostError(
        f"who has which device open cannot be seen: {reason}",
        "the host may be out of memory, of processes or of open files; free some and try again",
    )
    short.may_pass = True
    return short


def _start(worker: threading.Thread) -> None:
    try:
        worker.start()
    except RuntimeError as error:
        raise unseen(error) from error


class _Worker(threading.Thread, Generic[Found]):
    """Looks at processes until it is left behind."""

    def __init__(self, pids: Sequence[int], look: Callable[[int], Iterator[Found]]) -> None:
        super().__init__(name="look", daemon=True)
        self.found: list[tuple[int, Found]] = []
        self._pids, self._look = pids, look
        self._position = 0
        self._is_left = False
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            for position, pid in enumerate(self._pids):
                self._position = position
                if self._is_left:
                    return
                self._look_at(pid)
        except BaseException as error:
            self._error = error

    def _look_at(self, pid: int) -> None:
        try:
            for found in self._look(pid):
                self.found.append((pid, found))
        except OSError as error:
            if error.errno in _SHORT:
                raise unseen(error) from error

    def wait(self, seconds: float) -> int | None:
        """None once it has looked at all; else at which it has not got on for this time."""
        position = -1
        while position != self._position:
            position = self._position
            self.join(seconds)
            if not self.is_alive():
                if self._error is not None:
                    raise self._error
                return None
        self._is_left = True
        return position
