"""Steps about people's work: what is open is written down, and what need not end goes on.

None is a reason to give a handoff up, or to call a return stuck: what fails is a remark.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from vfiod.errors import HostError
from vfiod.handoff.accounts import manager_of
from vfiod.handoff.steps.base import HostStep, Notes, Prior
from vfiod.handoff.steps.desktop import DesktopStep, await_master, start_bystander
from vfiod.host.door import Host
from vfiod.model import PciAddress, Session

# The desktop, as systemd has it in a user's manager (systemd.special(7)).
GRAPHICAL = "graphical-session.target"


@dataclass(frozen=True, slots=True)
class RememberApplications(HostStep):
    """Write down what a user has open, to be opened again at their next login.

    The return leaves it to that login. If the session has not ended after all, as after a start
    that failed, only what has closed meanwhile needs to be opened again.

    ``sessions``: logind's of that user that end. ``how``: what reopen: says.
    """

    kind: ClassVar[str] = "remember-applications"
    uid: int
    user: str
    sessions: tuple[str, ...]
    how: str
    seconds: float

    def describe(self) -> str:
        return f"write down what {self.user} has open, for the next login"

    def describe_undo(self) -> str:
        return f"leave what {self.user} had open to the next login"

    def apply(self, host: Host) -> Notes:
        try:
            host.users.remember(self.uid, self.how, seconds=self.seconds)
        except HostError as error:
            return _told(self.user, error)
        return ()

    def undo(self, host: Host, prior: Prior) -> Notes:
        if not any(self._lives(host)):
            return ()
        try:
            host.users.forget(self.uid, seconds=self.seconds)
        except HostError as error:
            return _told(self.user, error)
        still = f"what {self.user} has open still is not opened again"
        return (f"{still}; what has closed is, by: vfiod reopen (as {self.user})",)

    def _lives(self, host: Host) -> Sequence[bool]:
        """Of each session that is left, whether its first process is: logind may be slow."""
        there = [s for s in host.logins.sessions() if s.ident in self.sessions]
        left = [s for s in there if not s.closing]
        return [not s.leader or bool(host.processes.parent(s.leader)) for s in left]


@dataclass(frozen=True, slots=True)
class EndSessions(DesktopStep):
    """End logind sessions that use the display, with all that runs in them. A session cannot be
    given back.

    With the display manager the first process of its sessions has gone, and logind, where it kills
    no user's processes (logind.conf(5), KillUserProcesses=), has left the rest of a scope to itself
    then: that ends by its unit alone.

    ``users``: whose they are. ``again``: those who were asked to log out, and may have been logged
    in anew since: by a getty, before it was stopped. ``others``: sessions of theirs that were there
    already and stay, as a text login beside the desktop.
    """

    kind: ClassVar[str] = "end-sessions"
    sessions: tuple[str, ...]
    seconds: float
    users: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    def describe(self) -> str:
        return f"end the desktop of {', '.join(self.users)}"

    def apply(self, host: Host) -> Notes:
        for session in self._left(host):
            host.logins.terminate(session.ident)
        notes = self._stop_scopes(host)
        if not host.wait(lambda: not self._left(host), seconds=self.seconds):
            notes += [self._stays(session) for session in self._left(host)]
        return tuple(notes)

    def _stop_scopes(self, host: Host) -> list[str]:
        """Of those that logind lists still: it has begun to stop them itself, or never will."""
        notes: list[str] = []

        def stop(unit: str) -> None:
            try:
                notes.extend(host.units.stop(unit, seconds=self.seconds))
            except HostError as error:
                notes.append(f"{error.message}; {error.hint}" if error.hint else error.message)

        host.run_parallel([partial(stop, s.unit) for s in self._left(host) if s.unit])
        return notes

    def _stays(self, session: Session) -> str:
        return (
            f"session {session.ident} of {session.user} has not ended after {self.seconds:g} s: "
            f"the start goes on; what is left of it: sudo loginctl session-status {session.ident}"
        )

    def _left(self, host: Host) -> list[Session]:
        return [s for s in host.logins.sessions() if s.ident in self.sessions or self._is_anew(s)]

    def _is_anew(self, session: Session) -> bool:
        theirs = session.is_person and session.user in self.again and session.seat == "seat0"
        return theirs and session.ident not in self.others


@dataclass(frozen=True, slots=True)
class StopInManager(DesktopStep):
    """Have the devices let go in a user's manager that stays, which is left running itself.

    Not before the gate is closed: what starts anew, or is started again by a socket, then comes
    back without the devices. What goes with a login comes back with the next one.

    ``units`` are stopped, with the desktop; ``anew`` are started anew if they run.
    """

    kind: ClassVar[str] = "stop-in-manager"
    uid: int
    user: str
    units: tuple[str, ...]
    anew: tuple[str, ...]
    seconds: float

    def describe(self) -> str:
        stopped = [f"stop {', '.join(self.units)}"] if self.units else []
        begun = [f"start {', '.join(self.anew)} anew"] if self.anew else []
        return f"in the manager of {self.user}, which stays: {' and '.join([*stopped, *begun])}"

    def apply(self, host: Host) -> Notes:
        notes: list[str] = []
        for act, units in ((host.users.stop, self.units), (host.users.restart, self.anew)):
            try:
                act(self.uid, units, seconds=self.seconds)
            except HostError as error:
                notes += _told(self.user, error)
        return notes


@dataclass(frozen=True, slots=True)
class StopUserUnits(DesktopStep):
    """Stop services of a user's own that use the card, and start them again on the way back.

    Where their manager has gone meanwhile, as with a login, nobody is there to start them for.
    ``displays``: see start_bystander(). ``after_displays``: see await_master().
    """

    kind: ClassVar[str] = "stop-user-units"
    uid: int
    user: str
    units: tuple[str, ...]
    seconds: float
    displays: tuple[PciAddress, ...] = ()
    after_displays: tuple[PciAddress, ...] = ()

    def describe(self) -> str:
        return f"in the manager of {self.user}: stop {', '.join(self.units)}"

    def describe_undo(self) -> str:
        return f"in the manager of {self.user}: start {', '.join(self.units)} again"

    def apply(self, host: Host) -> Notes:
        try:
            host.users.stop(self.uid, self.units, seconds=self.seconds)
        except HostError as error:
            return _told(self.user, error)
        return ()

    def undo(self, host: Host, prior: Prior) -> Notes:
        await_master(host, self.after_displays)
        if not host.units.unit(manager_of(self.uid)).active:
            return ()
        units = " ".join(self.units)
        remedy = f"as {self.user}: systemctl --user start {units}"
        return start_bystander(host, units, lambda: self._start(host), remedy, self.displays)

    def _start(self, host: Host) -> Notes:
        host.users.start(self.uid, self.units, seconds=self.seconds)
        return ()


def _told(user: str, error: HostError) -> Notes:
    return (f"{user}: {error.message}; {error.hint}" if error.hint else f"{user}: {error.message}",)
