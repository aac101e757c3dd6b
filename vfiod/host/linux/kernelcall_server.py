"""A process that forks one child for each kernel call, so that a call that hangs hangs alone.

vfiod.host.linux.kernelcall starts it as a program of its own, `python3 -I -S callserver.py`, with a
socket as its standard input: it imports nothing of vfiod, has one thread and stays small, and its
fork costs a tenth of starting a program. It ends when the other end of the socket is closed.

A request is a message of strings with NUL between them, what to do and then the path to read or to
look for, or paths to write to with the text of each, with the write end of a pipe. The child
answers into the pipe: its pid and a line feed, then "=" and what it read, or for a look the number
of the kernel's reason, which is 0 if the file is there; or "!", the path and the kernel's reason
with NUL between them, or "?" and the path that it left alone. If it is killed in between, as a
driver that crashes does to its caller, the pipe just ends.
"""

import os
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress

READ, WRITE, LOOK = "read", "write", "look"
LONGEST = 2**16


def serve(requests: socket.socket) -> None:
    """Fork a child for each request, until there can be no more of them."""
    server = os.getpid()
    while True:
        request, pipes, _, _ = socket.recv_fds(requests, LONGEST, 1)
        if not request:
            return
        # Without a process for it the pipe ends without a word, which is an answer too.
        with suppress(OSError):
            if os.fork() == 0:
                # A child that hangs must not keep the socket open when the server has ended.
                requests.close()
                _be_child(request, pipes[0], server)
        os.close(pipes[0])


def _be_child(request: bytes, pipe: int, server: int) -> None:
    try:
        # Nobody waits any more, and nothing is done, if this cannot be written.
        os.write(pipe, b"%d\n" % os.getpid())
        for part in _answer(server, *os.fsdecode(request).split("\0")):
            _write_all(pipe, part)
    finally:
        os._exit(0)


def _answer(server: int, operation: str, *words: str) -> Sequence[bytes]:
    """Nothing is written after a write that failed, nor once the server has ended: vfiod may have
    been killed while the first write took its time, and another one be putting things back.
    """
    path = words[0]
    try:
        if operation == READ:
            return (b"=", _read(path))
        if operation == LOOK:
            return (b"=%d" % _look(path),)
        for path, text in zip(words[::2], words[1::2], strict=True):
            if os.getppid() != server:
                return (os.fsencode(f"?{path}"),)
            _write(path, text)
    except OSError as error:
        return (os.fsencode(f"!{path}\0{error.strerror}"),)
    return (b"=",)


def _write(path: str, text: str) -> None:
    """All in one write(2): each is a call of the attribute's store function."""
    attribute = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC | os.O_NOCTTY)
    os.write(attribute, os.fsencode(text))
    os.close(attribute)


def _look(path: str) -> int:
    try:
        os.stat(path)
    except OSError as error:
        return error.errno or 0
    return 0


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as attribute:
        return attribute.read()


def _write_all(pipe: int, data: bytes) -> None:
    while data:
        data = data[os.write(pipe, data) :]


def main() -> None:
    """Serve the socket that is standard input."""
    # What ps(1) shows of a call that hangs.
    with suppress(OSError), open("/proc/self/comm", "w", encoding="ascii") as name:
        name.write("vfiod-call")
    # Children are not waited for: the pipe tells when one has ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    serve(socket.socket(fileno=0))


if __name__ == "__main__":
    main()
