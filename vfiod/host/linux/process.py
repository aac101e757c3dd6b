"""The one door to other programs: an argument list, a clean environment, a deadline.

A program can hang in the kernel as a write to sysfs can: modprobe does, in a driver's init or
exit. So none is waited for without limit, and none is killed for being late.
"""

import fcntl
import os
import subprocess
from collections.abc import Callable, Sequence
from os.path import basename
from typing import IO

from vfiod.errors import HostError, KernelStuck
from vfiod.host.linux.late import HINT, LinuxLate, is_readable
from vfiod.model import LateCall
from vfiod.util.programs import ENVIRONMENT

# As late.is_readable(): whether a pidfd's process has ended, at the latest after some seconds.
Wait = Callable[[int, float], bool]


class Programs:
    """Runs programs, each for a subject; refuses one whose last program is still under way."""

    def __init__(self, late: LinuxLate | None = None) -> None:
        self._late = late or LinuxLate()

    def run(
        self,
        argv: Sequence[str],
        *,
        subject: str,
        seconds: float,
        most: int | None = None,
        wait: Wait = is_readable,
    ) -> str:
        """Run a program and return what it printed.

        ``most``: bytes that it may print; for what is not trusted, and may have one line in them.
        ``wait``: how its end is waited for, by who may have it end earlier.

        Raises HostError with its last words, and KernelStuck if it has not ended within
        ``seconds`` or an earlier one for the subject has not.
        """
        self._late.require_free(subject)
        with _memory("said", most) as said, _memory("complaint", most) as complaint:
            program = _start(argv, said, complaint)
            if not _ends(program.pid, seconds, wait):
                raise self._abandon(program, _name(argv[0], subject), subject, seconds)
            if program.wait() != 0:
                words = _read(complaint).strip().splitlines()
                last = words[-1] if words else f"exit status {program.returncode}"
                raise HostError(f"{' '.join(argv)} failed: {last}")
            return _read(said)

    def _abandon(
        self, program: "subprocess.Popen[bytes]", what: str, subject: str, seconds: float
    ) -> KernelStuck:
        pid, where = program.pid, self._late.where(program.pid)
        self._late.abandon(LateCall(subject, pid, what), program.wait)
        text = f"{what} did not end within {seconds:g} s (pid {pid}, {where})"
        return KernelStuck(text, HINT, pids=(pid,))


def run(argv: Sequence[str], *, seconds: float) -> str:
    """Run a program for a command that ends soon itself and remembers nothing. Raises as above."""
    return Programs().run(argv, subject=argv[0], seconds=seconds)


def _memory(name: str, most: int | None = None) -> IO[bytes]:
    """A file in memory. No pipe: what a program says too late has somewhere to go.

    With ``most`` it has that many bytes, all zero, and can never have more (memfd_create(2)).
    """
    try:
        file = os.fdopen(os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING), "w+b")
        if most is not None:
            os.truncate(file.fileno(), most)
            fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
        return file
    except OSError as error:
        raise HostError(f"no program can be run: {error.strerror}") from error


def _start(argv: Sequence[str], said: IO[bytes], complaint: IO[bytes]) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            argv,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=complaint,
            start_new_session=True,
        )
    except OSError as error:
        raise HostError(f"cannot run {argv[0]}: {error.strerror}") from error


def _ends(pid: int, seconds: float, wait: Wait) -> bool:
    """True if a child of ours ends within the time; it has to be waited for then."""
    ended = os.pidfd_open(pid)
    try:
        return wait(ended, seconds)
    finally:
        os.close(ended)


def _name(program: str, subject: str) -> str:
    return basename(program) + (f" for {subject}" if subject != program else "")


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().rstrip(b"\0").decode(errors="replace")
