"""What vfiod has begun and does not wait for any more: kernel calls and programs past their time.

Nothing of it is killed. A signal does not end what never returns, and it makes a slow but healthy
probe fail: kthread_create() and a firmware's load end with -EINTR then (kernel: kthread.c).
"""

import os
import select
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vfiod.errors import KernelStuck
from vfiod.host.linux.controlgroup import MOUNT, path_of, unified
from vfiod.model import LateCall
from vfiod.util import sysfs

HINT = "it cannot be ended; free what holds the device, or reboot the host"


def _nothing() -> None:
    """A process that is nobody's child of ours needs no farewell."""


@dataclass(frozen=True, slots=True)
class _Abandoned:
    """``ended`` is its pidfd, readable once it has ended (pidfd_open(2)).

    ``reap`` waits for a child of ours that has.
    """

    call: LateCall
    ended: int
    reap: Callable[[], object]


class LinuxLate:
    """Implements vfiod.host.processes.Late; used from several threads."""

    def __init__(self, proc: Path = Path("/proc"), cgroups: Path = "/" / MOUNT) -> None:
        self._proc, self._cgroups = proc, cgroups
        self._lock = threading.Lock()
        self._abandoned: dict[int, _Abandoned] = {}

    def calls(self) -> Sequence[LateCall]:
        with self._lock:
            for pid in list(self._abandoned):
                self._forget_if_ended(pid)
            return [abandoned.call for abandoned in self._abandoned.values()]

    def require_free(self, subject: str) -> None:
        """Raise KernelStuck while what was abandoned for the subject is still under way."""
        for call in self.calls():
            if call.subject == subject:
                text = f"the kernel is still busy with {subject} (pid {call.pid}, "
                raise KernelStuck(f"{text}{self.where(call.pid)})", HINT, pids=(call.pid,))

    def abandon(self, call: LateCall, reap: Callable[[], object] = _nothing) -> None:
        """Remember a process that has not ended in time."""
        # It may have ended just now.
        with suppress(ProcessLookupError), self._lock:
            ended = os.pidfd_open(call.pid)
            self._abandoned[call.pid] = _Abandoned(call, ended, reap)

    def inherit(self) -> None:
        """Remember what an earlier daemon left behind: it is in the service's control group still
        (KillMode=process). What it is for is not known any more.
        """
        group = path_of(sysfs.read(self._proc / "self/cgroup") or "")
        root = unified(self._cgroups)
        if root is None or not group.endswith("/vfiod.service"):
            return
        processes = sysfs.read(root / group.lstrip("/") / "cgroup.procs") or ""
        for pid in {int(line) for line in processes.split()} - {os.getpid()}:
            name = sysfs.read(self._proc / str(pid) / "comm") or "a process"
            self.abandon(LateCall("", pid, f"{name} of an earlier vfiod"))

    def where(self, pid: int) -> str:
        """The kernel functions a process waits in (proc(5): /proc/pid/stack, wchan)."""
        frames = self.stack(pid)[:4]
        waiting = ", ".join(frames) or sysfs.read(self._proc / str(pid) / "wchan")
        return f"in {waiting}" if waiting not in (None, "", "0") else "place unknown"

    def stack(self, pid: int) -> list[str]:
        """Kernel functions, the innermost first: "[<0>] function+0x56/0x70 [module]" a line."""
        lines = (sysfs.read(self._proc / str(pid) / "stack") or "").splitlines()
        return [line.split("] ", 1)[-1].split("+")[0] for line in lines if line]

    def _forget_if_ended(self, pid: int) -> None:
        abandoned = self._abandoned[pid]
        if is_readable(abandoned.ended, 0):
            os.close(abandoned.ended)
            abandoned.reap()
            del self._abandoned[pid]


def is_readable(fd: int, seconds: float) -> bool:
    """True as soon as there is something to read, False if there is not within the time."""
    waiter = select.poll()
    waiter.register(fd, select.POLLIN)
    return bool(waiter.poll(seconds * 1000))
