"""A program at a terminal of its own, with a person who answers its questions."""

import os
import pty
import select
import subprocess
import termios
import time
from collections.abc import Sequence

QUESTION = "[y/N] "
_SECONDS = 120.0


def run_at_terminal(
    argv: Sequence[str],
    *,
    answer: str = "",
    question: str = QUESTION,
    columns: int = 80,
    seconds: float = _SECONDS,
) -> tuple[int, str]:
    """Run a program, type ``answer`` and Enter at its first question; exit status and output."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, columns))
    # Not the C library's environment: pytest's readline has put COLUMNS there.
    environment = dict(os.environ)
    with subprocess.Popen(
        argv, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        output, answered = "", False
        deadline = time.monotonic() + seconds
        while piece := _read(ours, deadline):
            output += piece
            if question in output and not answered:
                os.write(ours, f"{answer}\n".encode())
                answered = True
        os.close(ours)
        status = process.wait(timeout=seconds)
    return status, output.replace("\r\n", "\n")


def _read(terminal: int, deadline: float) -> str:
    """The next output; empty when the program has ended (Linux: EIO) or takes too long."""
    if not select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0]:
        return ""
    try:
        return os.read(terminal, 65536).decode(errors="replace")
    except OSError:
        return ""
