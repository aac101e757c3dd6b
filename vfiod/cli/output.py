"""Standard output that nobody reads any more, or that cannot be written."""

import os
import sys
from collections.abc import Callable

from vfiod.cli.terminal import say

_FAILED = 1


def written(work: Callable[[], int]) -> int:
    """Do the work and see to it that what it says is out; its exit status, or 1 in place of 0.

    Python itself would write what is left once all is over, and end with a traceback and 120.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever began this (sys.stdout)
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
    status = 0
    try:
        try:
            status = work()
        except SystemExit:  # argparse's, after help
            sys.stdout.flush()
            raise
        sys.stdout.flush()
    except OSError as error:
        _give_up(error)
        return status or _FAILED
    return status


def _give_up(error: OSError) -> None:
    """Have what is left go nowhere. Raises the error if it is not one of standard output's."""
    is_unread = isinstance(error, BrokenPipeError)
    if not (is_unread or _is_full()):
        raise error
    nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    if not is_unread:
        say(f"vfiod: its output cannot be written: {error.strerror}", to=sys.stderr)


def _is_full() -> bool:
    """Whether nothing can be written. An error of another origin is told on a line of its own."""
    try:
        print(flush=True)
    except OSError:
        return True
    return False
