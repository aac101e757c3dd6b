"""What a check says of one thing: how bad it is, the fact, why it matters, what to do. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How bad it is; the worst of all decides the exit status."""

    OK = 0
    WARN = 1
    FAIL = 2

    @property
    def word(self) -> str:
        """As programs read it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. ``check`` is its stable name; ``command`` can be typed as it is.

    All but ``check``, ``level`` and ``fact`` may be empty; ``source`` is a web address. Tests and
    programs go by ``check``: the texts are for people, and change.
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


def worst(findings: Iterable[Finding]) -> Level:
    """The level that decides the exit status."""
    return max((finding.level for finding in findings), default=Level.OK)
