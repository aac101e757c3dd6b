"""Keeps vfiod.host.linux.kernelcall_server running and sends it requests; for any thread."""

import os
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from vfiod.errors import HostError
from vfiod.host.linux import kernelcall_server
from vfiod.util.programs import ENVIRONMENT

_END_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Server:
    process: subprocess.Popen[bytes]
    requests: socket.socket


class CallClient:
    """Starts the server when it is first needed, and another if that one has been killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: _Server | None = None

    def start(self) -> None:
        """Have the server running."""
        with self._lock:
            self._running()

    def restart(self) -> None:
        """End a server that does not answer; what it has not begun is not done any more."""
        with self._lock:
            self._drop()

    def ask(self, operation: str, words: Sequence[str]) -> int:
        """Send a request; the read end of the pipe in which the answer comes is the caller's.

        Raises HostError if there can be no process for it.
        """
        answer, pipe = os.pipe()
        try:
            self._send(os.fsencode("\0".join([operation, *words])), pipe)
        except OSError as error:
            os.close(answer)
            raise HostError(f"no process can be started: {error.strerror}") from error
        finally:
            os.close(pipe)
        return answer

    def _send(self, request: bytes, pipe: int) -> None:
        with self._lock:
            try:
                socket.send_fds(self._running().requests, [request], [pipe])
            except ConnectionError:
                self._drop()
                socket.send_fds(self._running().requests, [request], [pipe])

    def _drop(self) -> None:
        if self._server is not None:
            _stop(self._server)
            self._server = None

    def _running(self) -> _Server:
        if self._server is None:
            self._server = _start()
            # At the latest when the interpreter ends.
            weakref.finalize(self, _stop, self._server)
        return self._server


def _start() -> _Server:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", kernelcall_server.__file__],
            env=ENVIRONMENT,
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            cwd="/",
        )
    return _Server(process, ours)


def _stop(server: _Server) -> None:
    """It only ever waits for requests, and a child that hangs is no hindrance to its end."""
    server.requests.close()
    server.process.kill()
    with suppress(subprocess.TimeoutExpired):
        server.process.wait(_END_SECONDS)
