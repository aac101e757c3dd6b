"""The doors of vfiod.host.door to systemd: its units, and logind's sessions.

As behind every door, each method does one thing and raises HostError when the host refuses.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from vfiod.model import Session, Unit


@dataclass(frozen=True, slots=True)
class Inhibitor:
    """A lock that a program has taken of logind (org.freedesktop.login1(5), Inhibit()).

    ``what`` it is against, e.g. "shutdown"; ``mode`` is block, block-weak or delay; ``unit`` is the
    process's, where that was looked for.
    """

    what: frozenset[str]
    who: str
    why: str
    mode: str
    uid: int
    pid: int
    unit: str = ""


class Units(Protocol):
    """systemd's units, changed through jobs that are waited for (org.freedesktop.systemd1(5))."""

    def unit(self, name: str) -> Unit:
        """State of a unit; a start that is queued counts as active."""

    def start(self, name: str, *, seconds: float) -> Sequence[str]:
        """Start and wait for the job's end. Returns remarks for the log."""

    def stop(self, name: str, *, seconds: float) -> Sequence[str]:
        """Stop and wait for the job's end; what does not end by then is killed and waited for
        as long again. Returns remarks for the log.
        """

    def begin_stop(self, name: str) -> None:
        """Ask for a unit's end without waiting for it."""

    def primary_names(self, names: Collection[str]) -> Collection[str]:
        """What systemd itself calls these units, whatever alias each name is."""

    def needs(self, name: str) -> Collection[str]:
        """The units that a unit cannot do without or asked for."""

    def begun_with(self, pids: Collection[int]) -> Mapping[int, str]:
        """The services whose main processes these are, for those that are one's."""

    def shutting_down(self) -> bool:
        """True once the host is on its way to power-off or reboot."""


class Logins(Protocol):
    """logind's sessions and inhibitors (org.freedesktop.login1(5))."""

    def sessions(self) -> Sequence[Session]:
        """All sessions."""

    def terminate(self, ident: str) -> None:
        """End a session; one that is already gone is no error.

        One that is closing has ended for logind: what is left in its scope goes on all the same
        (systemd: session_stop() in src/login/logind-session.c).
        """

    def inhibitors(self) -> Sequence[Inhibitor]:
        """All locks that anybody has taken, vfiod's own among them."""

    def lingers(self, uid: int) -> bool:
        """True if the user's manager stays without a session."""

    def user_name(self, uid: int) -> str:
        """Name of a user who has a session or lingers; for others one made of the number."""

    def home(self, uid: int) -> str:
        """A user's home directory; empty if nobody says."""

    def inhibit(self, why: str) -> None:
        """Block sleep, root's too, and the power, suspend and lid keys until uninhibit(); twice is
        once.
        """

    def uninhibit(self) -> None:
        """Drop the inhibitor, if there is one, and what an earlier daemon left of one."""
