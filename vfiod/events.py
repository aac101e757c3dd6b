"""What vfiod tells the world: one Event per thing that happened, sent to the system journal
and, as progress, to the bus. Each kind has a MESSAGE_ID with an entry in systemd/vfiod.catalog.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

_PREFIX = "7d3f0c5a9be14c3f8a51e1d06f2b9a"


class Kind(Enum):
    """Kinds of event; the value is the MESSAGE_ID (systemd.journal-fields(7))."""

    HANDOFF_BEGUN = _PREFIX + "10"
    STEP_DONE = _PREFIX + "11"
    HANDOFF_COMPLETE = _PREFIX + "12"
    REFUSED = _PREFIX + "13"
    STEP_FAILED = _PREFIX + "14"
    RETURN_BEGUN = _PREFIX + "15"
    RETURN_COMPLETE = _PREFIX + "16"
    STUCK = _PREFIX + "17"
    CONFIG_WRONG = _PREFIX + "18"
    HOOK = _PREFIX + "19"
    ADOPTED = _PREFIX + "1a"
    START_TIMED_OUT = _PREFIX + "1b"
    REMARK = _PREFIX + "1c"
    KERNEL_STUCK = _PREFIX + "1d"
    REMEDY = _PREFIX + "1e"
    KERNEL_ANSWERS = _PREFIX + "1f"
    ASKED = _PREFIX + "20"


ERRORS = frozenset({Kind.STEP_FAILED, Kind.STUCK, Kind.KERNEL_STUCK})
WARNINGS = frozenset(
    {Kind.REFUSED, Kind.CONFIG_WRONG, Kind.START_TIMED_OUT, Kind.REMARK, Kind.REMEDY}
)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. ``fields`` become VFIOD_… fields of the journal entry."""

    kind: Kind
    message: str
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def priority(self) -> int:
        """syslog(3) level: error, warning or notice."""
        if self.kind in ERRORS:
            return 3
        return 4 if self.kind in WARNINGS else 5


Report = Callable[[Event], None]


def timed(began: float, ended: float) -> dict[str, str]:
    """Fields of what took time: when it began and how long it took, in microseconds.

    Arguments: seconds since boot, as Host.now() tells them. The journal's own times are of the
    arrival of an entry (journald is late on a busy machine) and jump with the wall clock.
    """
    return {**began_at(began), "DURATION_USEC": str(round((ended - began) * 1e6))}


def began_at(began: float) -> dict[str, str]:
    """Field of what has only begun; seconds since boot."""
    return {"BEGAN_USEC": str(round(began * 1e6))}
