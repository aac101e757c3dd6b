"""What doctor says of one precondition: the level, the fact seen, why it matters, what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How bad it is; the worst of all decides the exit status."""

    OK = 0
    WARN = 1
    FAIL = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. ``check`` is its stable name; ``command`` can be typed as it is.

    All but ``check``, ``level`` and ``fact`` may be empty; ``source`` is a web address.
    """

    check: str
    level: Level
    fact: str
    why: str = ""
    remedy: str = ""
    command: str = ""
    source: str = ""


Findings = Iterator[Finding]


def ok(check: str, fact: str) -> Finding:
    """Nothing to do."""
    return Finding(check, Level.OK, fact)


def warn(
    check: str, fact: str, *, why: str, remedy: str, command: str = "", source: str = ""
) -> Finding:
    """A handoff may go wrong, or go less well than it could."""
    return Finding(check, Level.WARN, fact, why, remedy, command, source)


def fail(
    check: str, fact: str, *, why: str, remedy: str, command: str = "", source: str = ""
) -> Finding:
    """A handoff is refused or goes wrong."""
    return Finding(check, Level.FAIL, fact, why, remedy, command, source)
