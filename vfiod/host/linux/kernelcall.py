"""Kernel calls that may never return: each in a process of its own, abandoned at its deadline.

A driver's remove() can wait for ever for somebody to close a file, and neither SIGKILL nor anything
else ends the writer then. So vfiod itself never writes to such an attribute: a process that is kept
for it (vfiod.host.linux.kernelcall_server) forks one for each call.

Owner: the Linux host, one for the daemon's life; a command has its own for as long as it runs. The
kept process starts with the first call, or at warm_up(), and ends with its owner; a call under way
lives on without either, and does its write once.

A call that is late is not killed: it is remembered by its subject, a device, as the living process
that it is (vfiod.host.linux.late), and the error names the kernel function it waits in. As long as
it lives every other call for that device is refused at once.

What must never happen: a wait without a deadline; two calls for one device; a descriptor of vfiod
in a process that may hang for ever.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from vfiod.errors import HostError, KernelStuck
from vfiod.host.linux.kernelcall_client import CallClient
from vfiod.host.linux.kernelcall_server import READ, WRITE
from vfiod.host.linux.late import HINT, LinuxLate, is_readable
from vfiod.model import LateCall

_CHUNK = 2**16


class KernelCalls:
    """Attributes under a deadline; refuses a subject whose last call is still under way."""

    def __init__(self, late: LinuxLate | None = None) -> None:
        self._client = CallClient()
        self._late = late or LinuxLate()

    @property
    def client(self) -> CallClient:
        """What sends the requests, for others who ask under a deadline."""
        return self._client

    def warm_up(self) -> None:
        """Start what the first call would have to wait for."""
        self._client.start()

    def write(self, path: Path, text: str, *, subject: str, seconds: float) -> None:
        """Write ``text`` to ``path`` on behalf of a device, the ``subject``.

        Raises KernelStuck at the deadline or while an earlier call for the subject hangs, and
        HostError with the kernel's reason if the write fails.
        """
        self.write_all([(path, text)], subject=subject, seconds=seconds)

    def write_all(
        self, writes: Sequence[tuple[Path, str]], *, subject: str, seconds: float
    ) -> None:
        """Write to one path after the other, none after one that fails: a single process,
        ``seconds`` for all of them. Raises as write() does.
        """
        words = [word for path, text in writes for word in (str(path), text)]
        self._call(WRITE, words, [path for path, _ in writes], subject, seconds)

    def read(self, path: Path, *, subject: str, seconds: float) -> str:
        """Read an attribute whose show function takes the device's lock. Raises as write()."""
        return (
            self.read_bytes(path, subject=subject, seconds=seconds).decode(errors="replace").strip()
        )

    def read_bytes(self, path: Path, *, subject: str, seconds: float) -> bytes:
        """Read a binary attribute, which the kernel bounds. Raises as write()."""
        return self._call(READ, [str(path)], [path], subject, seconds)

    def _call(
        self,
        operation: str,
        words: Sequence[str],
        paths: Sequence[Path],
        subject: str,
        seconds: float,
    ) -> bytes:
        self.require_free(subject)
        said, ended = self._ask(operation, words, seconds)
        pid, _, answer = said.partition(b"\n")
        if not pid:
            self._client.restart()
            raise _no_process(paths, subject)
        if not ended:
            raise self._abandon(int(pid), paths, subject, seconds)
        if not answer.startswith(b"="):
            raise _failed(answer, paths, subject)
        return answer[1:]

    def _ask(self, operation: str, words: Sequence[str], seconds: float) -> tuple[bytes, bool]:
        pipe = self._client.ask(operation, words)
        try:
            return read_to_end(pipe, seconds)
        finally:
            os.close(pipe)

    def require_free(self, subject: str) -> None:
        """Raise KernelStuck while an abandoned call for the subject is still under way."""
        self._late.require_free(subject)

    def _abandon(
        self, pid: int, paths: Sequence[Path], subject: str, seconds: float
    ) -> KernelStuck:
        where, stack = self._late.where(pid), self._late.stack(pid)
        hanging = _names([path for path in paths if f"{path.name}_store" in stack] or paths)
        self._late.abandon(LateCall(subject, pid, f"{hanging} of {subject}"))
        return KernelStuck(
            f"the kernel did not finish {hanging} of {subject} within {seconds:g} s "
            f"(pid {pid}, {where})",
            HINT,
            pids=(pid,),
        )


def _no_process(paths: Sequence[Path], subject: str) -> HostError:
    return HostError(
        f"{_names(paths)} of {subject} was not touched: the process for it did not start",
        "the host may be out of memory or of processes; free some and try again",
    )


def _failed(answer: bytes, paths: Sequence[Path], subject: str) -> HostError:
    if not answer:
        # Nobody else kills it: a driver that crashes takes its caller along.
        return HostError(
            f"the kernel crashed in {_names(paths)} of {subject}",
            "its own words are in: sudo journalctl -k -b; reboot the host soon",
        )
    path, _, reason = os.fsdecode(answer[1:]).partition("\0")
    if answer.startswith(b"?"):
        return HostError(
            f"{Path(path).name} of {subject} was not touched: vfiod-call, vfiod's own process for "
            "it, was killed",
            "nothing else may end it; look for who did with: sudo journalctl -b",
        )
    return HostError(f"the kernel refused {Path(path).name} of {subject}: {reason}")


def read_to_end(pipe: int, seconds: float) -> tuple[bytes, bool]:
    """What comes out of an answer's pipe within ``seconds``, and whether that was all."""
    deadline, said = time.monotonic() + seconds, b""
    while is_readable(pipe, max(0.0, deadline - time.monotonic())):
        chunk = os.read(pipe, _CHUNK)
        if not chunk:
            return said, True
        said += chunk
    return said, False


def _names(paths: Sequence[Path]) -> str:
    return " or ".join(path.name for path in paths)
