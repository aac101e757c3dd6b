"""Commands in the lab over ssh; one standing connection per user makes each of them cheap."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from .waiting import LabError, Timeout, wait_until

CONNECTION_LOST = 255


class CommandFailed(LabError):
    """A command in the lab ended with a status other than 0."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.done = done
        command = shlex.join(done.args)
        super().__init__(f"status {done.returncode}: {command}\n{done.stdout}{done.stderr}")


@dataclass
class Ssh:
    """The way into one lab. `close` ends every process started here."""

    port: int
    key: Path
    folder: Path
    _masters: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def command(self, user: str = "root") -> list[str]:
        """The ssh command up to and including the destination."""
        options = {
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": "/dev/null",
            "LogLevel": "ERROR",
            "BatchMode": "yes",
            "IdentitiesOnly": "yes",
            "ConnectTimeout": "60",
            "ControlPath": str(self._socket(user)),
        }
        flags = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        return [
            "ssh",
            "-F",
            "none",
            "-i",
            str(self.key),
            "-p",
            str(self.port),
            *flags,
            f"{user}@127.0.0.1",
        ]

    def run(
        self, argv: tuple[str, ...], *, user: str, stdin: bytes | None, timeout: float
    ) -> subprocess.CompletedProcess[bytes]:
        """Run `argv` there; the result carries `argv` itself, not the ssh command around it."""
        self.connect(user)
        try:
            done = subprocess.run(
                [*self.command(user), shlex.join(argv)],
                input=stdin or b"",
                capture_output=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as e:
            raise Timeout(f"not within {timeout:g} s: {shlex.join(argv)}") from e
        return subprocess.CompletedProcess(argv, done.returncode, done.stdout, done.stderr)

    def answers(self) -> bool:
        """Whether a command can be run there right now."""
        probe = [*self.command(), "true"]
        try:
            done = subprocess.run(probe, capture_output=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def connect(self, user: str) -> None:
        """See to a standing connection; without one each command would make its own."""
        master = self._masters.get(user)
        if master and master.poll() is None:
            return
        socket = self._socket(user)
        socket.unlink(missing_ok=True)
        new = subprocess.Popen(
            [*self.command(user)[:-1], "-M", "-N", f"{user}@127.0.0.1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._masters[user] = new
        wait_until(
            f"ssh connection as {user}",
            lambda: socket.exists() or new.poll() is not None,
            timeout=60,
            pause=0.05,
        )

    def close(self) -> None:
        """End the standing connections."""
        for master in self._masters.values():
            # Killed, not asked: a master that still serves a session may take its time to end.
            master.kill()
            master.wait()
        self._masters.clear()

    def _socket(self, user: str) -> Path:
        return self.folder / f"ssh-{user}"
