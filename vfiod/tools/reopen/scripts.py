"""The scripts that a desktop entry runs: its program, or what that is given to run."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from vfiod.errors import HostError
from vfiod.tools.reopen.entry import Entry
from vfiod.tools.reopen.runners import is_interpreter
from vfiod.util.files import read_beginning

_SIZE = 2**16
# An argument may be a line for a shell.
_WORD = re.compile(r"[^\s;&|()<>'\"]+")
_HOME = re.compile(r"(?:~|\$HOME|\$\{HOME\})(?=/)")


def read_scripts(entry: Entry, home: str, resolve: Callable[[str], str]) -> Iterator[str]:
    """The beginning of each, 64 KiB. ``resolve`` says where a program is, or nothing if it is none.

    They are read as the user whose entry it is, who may read them anyway.
    """
    for path in dict.fromkeys(_files(entry, home, resolve)):
        with suppress(HostError):
            data, _ = read_beginning(Path(path), _SIZE)
            if b"\0" not in data:  # or it is a program
                yield data.decode(errors="replace")


def _files(entry: Entry, home: str, resolve: Callable[[str], str]) -> Iterator[str]:
    """An interpreter runs a file that nobody else could. The working folder is not known."""
    yield entry.program
    for argument in entry.arguments:
        for word in _WORD.findall(argument):
            path = _HOME.sub(home, word, count=1)
            if found := resolve(path):
                yield found
            elif is_interpreter(entry.program) and os.path.isabs(path):
                yield path
