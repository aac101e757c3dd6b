"""The one door to other programs: an argument list, a clean environment, a deadline."""

import subprocess
from collections.abc import Sequence

from vfiod.errors import HostError, TimedOut

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


def run(argv: Sequence[str], *, seconds: float) -> str:
    """Run a program and return what it printed. Raises HostError with its last words."""
    try:
        done = subprocess.run(
            argv,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
            text=True,
        )
    except subprocess.TimeoutExpired as error:
        raise TimedOut(f"{argv[0]} did not end within {seconds:g} s") from error
    except OSError as error:
        raise HostError(f"cannot run {argv[0]}: {error.strerror}") from error
    if done.returncode != 0:
        words = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise HostError(f"{' '.join(argv)} failed: {words[-1]}")
    return done.stdout
