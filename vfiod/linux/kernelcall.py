"""Kernel calls that may never return: each in a process of its own, abandoned at its deadline.

A driver's remove() can wait for ever for somebody to close a file, and neither SIGKILL nor
anything else ends the writer then. tee(1) writes and cat(1) reads the attribute, so vfiod itself
never waits in the kernel; an abandoned caller is remembered as the living process that it is.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from vfiod import sysfs
from vfiod.errors import HostError, KernelStuck
from vfiod.linux.process import ENVIRONMENT

_REBOOT = "it cannot be ended; free what holds the device, or reboot the host"


class KernelCalls:
    """Attributes under a deadline; refuses a subject whose last call still hangs."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._abandoned: dict[str, subprocess.Popen[bytes]] = {}

    def write(self, path: Path, text: str, *, subject: str, seconds: float) -> None:
        """Write ``text`` to ``path`` on behalf of a device, the ``subject``.

        Raises KernelStuck at the deadline or while an earlier call for the subject hangs, and
        HostError with the kernel's reason if the write fails.
        """
        self.write_each([path], text, subject=subject, seconds=seconds)

    def write_each(self, paths: Sequence[Path], text: str, *, subject: str, seconds: float) -> None:
        """Write ``text`` to one path after the other, also after one that fails: a single
        process, ``seconds`` for all of them. Raises as write() does, for the first that fails.
        """
        self._call("/usr/bin/tee", paths, text, subject, seconds)

    def read(self, path: Path, *, subject: str, seconds: float) -> str:
        """Read an attribute whose show function takes the device's lock. Raises as write()."""
        return (
            self.read_bytes(path, subject=subject, seconds=seconds).decode(errors="replace").strip()
        )

    def read_bytes(self, path: Path, *, subject: str, seconds: float) -> bytes:
        """Read a binary attribute, which the kernel bounds. Raises as write()."""
        return self._call("/usr/bin/cat", [path], "", subject, seconds)

    def _call(
        self, program: str, paths: Sequence[Path], text: str, subject: str, seconds: float
    ) -> bytes:
        self.require_free(subject)
        caller = subprocess.Popen(
            [program, "--", *map(str, paths)],
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
        )
        try:
            found, words = caller.communicate(text.encode(), timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise self._abandon(caller, paths, subject, seconds) from error
        if caller.returncode < 0:
            # Nobody else kills it: a driver that crashes takes its caller along.
            raise HostError(
                f"the kernel crashed in {_names(paths)} of {subject}",
                "its own words are in: journalctl -k -b; reboot the host soon",
            )
        if caller.returncode != 0:
            raise _refusal(words.decode(errors="replace"), paths, subject)
        return found

    def require_free(self, subject: str) -> None:
        """Raise KernelStuck while an abandoned call for the subject still hangs."""
        writer = self._abandoned.get(subject)
        if writer is None:
            return
        if writer.poll() is None:
            raise KernelStuck(
                f"the kernel is still busy with {subject} (pid {writer.pid}, "
                f"{self._where(writer.pid)})",
                _REBOOT,
            )
        del self._abandoned[subject]

    def _abandon(
        self,
        writer: subprocess.Popen[bytes],
        paths: Sequence[Path],
        subject: str,
        seconds: float,
    ) -> KernelStuck:
        where, stack = self._where(writer.pid), self._stack(writer.pid)
        writer.kill()
        self._abandoned[subject] = writer
        hanging = [path for path in paths if f"{path.name}_store" in stack]
        return KernelStuck(
            f"the kernel did not finish {_names(hanging or paths)} of {subject} "
            f"within {seconds:g} s (pid {writer.pid}, {where})",
            _REBOOT,
        )

    def _where(self, pid: int) -> str:
        """The kernel functions the writer waits in (proc(5): /proc/pid/stack, wchan)."""
        frames = self._stack(pid)[:4]
        waiting = ", ".join(frames) or sysfs.read(self._proc / str(pid) / "wchan")
        return f"in {waiting}" if waiting not in (None, "", "0") else "place unknown"

    def _stack(self, pid: int) -> list[str]:
        """Kernel functions, the innermost first: "[<0>] function+0x56/0x70 [module]" a line."""
        lines = (sysfs.read(self._proc / str(pid) / "stack") or "").splitlines()
        return [line.split("] ", 1)[-1].split("+")[0] for line in lines if line]


def _refusal(words: str, paths: Sequence[Path], subject: str) -> HostError:
    """From "PROGRAM: PATH: reason" a line; the first failure is what the others come from."""
    *_, path, reason = ["", _names(paths), *words.strip().split("\n", 1)[0].split(": ")]
    name = Path(path.strip("'")).name
    return HostError(f"the kernel refused {name} of {subject}: {reason}")


def _names(paths: Sequence[Path]) -> str:
    return " or ".join(path.name for path in paths)
