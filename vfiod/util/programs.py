"""Programs of a command's own, to their end: an argument list, a clean environment, a deadline.

A program is named, not placed: distributions keep it in different folders (NixOS in none of the
usual ones), and it is looked for in vfiod.paths.SEARCH alone, never where a user's PATH says.
What the daemon starts may hang in the kernel, and goes through vfiod.host.linux.process.
"""

import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence

from vfiod.errors import HostError, TimedOut
from vfiod.paths import SEARCH

ENVIRONMENT = {"PATH": SEARCH, "LC_ALL": "C.UTF-8"}
Done = subprocess.CompletedProcess[str]


def find(program: str, search: str = SEARCH) -> str | None:
    """Where a program is; None if it is not installed."""
    return shutil.which(program, path=search)


def begin(argv: Sequence[str], *, environment: Mapping[str, str]) -> Callable[[], None]:
    """Begin a program that only shows something; what is returned ends it. Its failure is none."""
    try:
        child = subprocess.Popen(
            argv,
            env={**environment, **ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return lambda: None

    def end() -> None:
        child.kill()
        child.wait()

    return end


def finish(
    argv: Sequence[str], *, seconds: float, environment: Mapping[str, str] | None = None
) -> Done:
    """Run a program to its end, whatever that is. ``environment`` is added to the clean one.

    What it prints is read as UTF-8, with U+FFFD for what is none: it may have a window's title in
    it, or a file's name, which X11 and the kernel take as they are.

    Raises HostError if it cannot be started, TimedOut if it did not end within the time.
    """
    try:
        return subprocess.run(
            argv,
            env={**(environment or {}), **ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
            encoding="utf-8",
            errors="replace",
        )
    except subprocess.TimeoutExpired as error:
        raise TimedOut(f"{argv[0]} did not end within {seconds:g} s") from error
    except OSError as error:
        raise HostError(f"cannot run {argv[0]}: {error.strerror}") from error


def leave_running(argv: Sequence[str], *, seconds: float, environment: Mapping[str, str]) -> int:
    """Run what starts something for a person and ends; its exit status.

    In that person's own environment, with their language and their PATH. What it leaves running
    may write to nothing that anybody waits for. Raises as finish() does.
    """
    try:
        return subprocess.run(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
            start_new_session=True,
        ).returncode
    except subprocess.TimeoutExpired as error:
        raise TimedOut(f"{argv[0]} did not end within {seconds:g} s") from error
    except OSError as error:
        raise HostError(f"cannot run {argv[0]}: {error.strerror}") from error


def literal(word: str) -> str:
    """A word of a command that systemd-run(1) is given, as the program then gets it.

    systemd expands variables in a command, and takes $$ for a dollar (systemd.service(5)).
    """
    return word.replace("$", "$$")
