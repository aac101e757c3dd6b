"""Kernel calls that may never return: each in a process of its own, abandoned at its deadline.

A driver's remove() can wait for ever for somebody to close a file, and neither SIGKILL nor
anything else ends the writer then. tee(1) writes and cat(1) reads the attribute, so vfiod itself
never waits in the kernel; an abandoned caller is remembered as the living process that it is.
"""

import subprocess
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
        self._call("/usr/bin/tee", path, text, subject, seconds)

    def read(self, path: Path, *, subject: str, seconds: float) -> str:
        """Read an attribute whose show function takes the device's lock. Raises as write()."""
        return (
            self.read_bytes(path, subject=subject, seconds=seconds).decode(errors="replace").strip()
        )

    def read_bytes(self, path: Path, *, subject: str, seconds: float) -> bytes:
        """Read a binary attribute, which the kernel bounds. Raises as write()."""
        return self._call("/usr/bin/cat", path, "", subject, seconds)

    def _call(self, program: str, path: Path, text: str, subject: str, seconds: float) -> bytes:
        self.require_free(subject)
        caller = subprocess.Popen(
            [program, "--", str(path)],
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
        )
        try:
            found, words = caller.communicate(text.encode(), timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise self._abandon(caller, path, subject, seconds) from error
        if caller.returncode < 0:
            # Nobody else kills it: a driver that crashes takes its caller along.
            raise HostError(
                f"the kernel crashed in {path.name} of {subject}",
                "its own words are in: journalctl -k -b; reboot the host soon",
            )
        if caller.returncode != 0:
            reason = words.decode(errors="replace").strip().rsplit(": ", 1)[-1]
            raise HostError(f"the kernel refused {path.name} of {subject}: {reason}")
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
        self, writer: subprocess.Popen[bytes], path: Path, subject: str, seconds: float
    ) -> KernelStuck:
        where = self._where(writer.pid)
        writer.kill()
        self._abandoned[subject] = writer
        return KernelStuck(
            f"the kernel did not finish {path.name} of {subject} within {seconds:g} s "
            f"(pid {writer.pid}, {where})",
            _REBOOT,
        )

    def _where(self, pid: int) -> str:
        """The kernel functions the writer waits in (proc(5): /proc/pid/stack, wchan)."""
        stack = sysfs.read(self._proc / str(pid) / "stack") or ""
        # "[<0>] function+0x56/0x70 [module]"
        frames = [line.split("] ", 1)[-1].split("+")[0] for line in stack.splitlines() if line]
        waiting = ", ".join(frames[:4]) or sysfs.read(self._proc / str(pid) / "wchan")
        return f"in {waiting}" if waiting not in (None, "", "0") else "place unknown"
