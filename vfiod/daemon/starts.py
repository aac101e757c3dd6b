"""Starts of guests that were asked for over the bus: one at a time, each after a countdown.

A countdown lives in this process alone: with the daemon it is gone, and nothing starts.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vfiod.daemon import rights
from vfiod.daemon.background import begin
from vfiod.errors import Busy, Refused, VfiodError
from vfiod.handoff.decision import readiness
from vfiod.handoff.decision.ending import Person
from vfiod.host.commands import Commands
from vfiod.model import Phase

_STOPPED = "the vfiod service is being stopped"


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants which guest; ``spares_others``: it may end the work of this user alone."""

    guest: str
    uid: int
    user: str
    spares_others: bool


@dataclass(frozen=True, slots=True)
class Countdown:
    """A start that is to come; ``until`` is CLOCK_REALTIME in microseconds."""

    wish: Wish
    until: int


class Starts:
    """The start that is to come, or is under way. All methods are for the main loop.

    ``countdown`` is the one, ``under_way`` the name of the other's guest, or empty. Its time over,
    it goes on if the host has the devices then, which ``phase`` tells.

    Arguments: ``after`` calls something after so many seconds; ``changed`` is called when a
    countdown begins or ends; ``ended`` with the guest, whether it runs, and a message.
    """

    def __init__(
        self,
        commands: Commands,
        after: Callable[[float, Callable[[], object]], None],
        changed: Callable[[], object],
        ended: Callable[[str, bool, str], object],
        phase: Callable[[], tuple[Phase, str]],
    ) -> None:
        self._commands, self._after = commands, after
        self._changed, self._ended, self._phase = changed, ended, phase
        self.under_way = ""
        self.countdown: Countdown | None = None
        self._closed = False

    def require_free(self) -> None:
        """Raises Busy if a start is to come or under way, or none begins any more."""
        self._require_open()
        if self.countdown is not None:
            raise Busy(f"{self.countdown.wish.guest} is about to start already")
        if self.under_way:
            raise Busy(f"{self.under_way} is being started already", "see: vfiod status")

    def require_countdown(self) -> Countdown:
        """The one under way. Raises Busy if there is none (any more)."""
        if self.countdown is None:
            started = f"{self.under_way} is being started" if self.under_way else "nothing starts"
            raise Busy(f"{started}: there is no countdown to cancel")
        return self.countdown

    def begin(self, wish: Wish, seconds: int) -> None:
        """Count down, then start. Raises Busy if somebody else was quicker."""
        self.require_free()
        mine = Countdown(wish, round((time.time() + seconds) * 1e6))
        self.countdown = mine
        self._changed()
        self._after(seconds, lambda: self._go(mine))

    def cancel(self, why: str) -> None:
        """End the countdown. Raises Busy if there is none (any more)."""
        guest, self.countdown = self.require_countdown().wish.guest, None
        self._changed()
        self._ended(guest, False, why)  # noqa: FBT003

    def close(self) -> None:
        """The daemon is being stopped: what has not begun does not begin."""
        self._closed = True
        if self.countdown is not None:
            self.cancel(f"{self.countdown.wish.guest} was not started: {_STOPPED}")

    def _go(self, mine: Countdown) -> None:
        """Whatever goes wrong is its end: who waits is told, and the next may be asked for."""
        if self.countdown is not mine:
            return
        guest = mine.wish.guest
        self.countdown, self.under_way = None, guest
        self._changed()
        try:
            # libvirt answers nobody in a handoff that somebody else has begun meanwhile.
            require_host_has_them(self._phase(), guest)
            begun = begin(lambda: self._start(mine.wish))
        except Exception as error:
            self._done(guest, error)
        else:
            begun.add_done_callback(lambda done: self._done(guest, done.exception()))

    def _start(self, wish: Wish) -> None:
        """In a thread. Much may have changed since the right to it was given."""
        facts = find(readiness.load(self._commands.look()), wish.guest)
        facts.require_ready()
        require_still_allowed(facts.people, wish)
        self._require_open()
        self._commands.start(wish.guest)

    def _require_open(self) -> None:
        if self._closed:
            raise Busy(_STOPPED, "ask again once it runs: systemctl status vfiod")

    def _done(self, guest: str, error: BaseException | None) -> None:
        self.under_way = ""
        text = f"{guest} runs" if error is None else f"{guest} was not started: {error}"
        self._ended(guest, error is None, text)


def find(guests: Sequence[readiness.GuestFacts], name: str) -> readiness.GuestFacts:
    """The guest of this name. Raises Refused if there is none (any more)."""
    for facts in guests:
        if facts.name == name:
            return facts
    raise Refused([VfiodError(f"the configuration names no guest {name[:60]!r}")])


def require_host_has_them(now: tuple[Phase, str], name: str) -> None:
    """Raises Busy if a guest has the devices, or they are on their way."""
    phase, guest = now
    if phase is Phase.STUCK:
        raise Busy(f"something is stuck after {guest}", "see: vfiod status")
    if phase is Phase.RETURN:
        raise Busy(f"the devices are on their way back from {guest}", "wait a moment")
    if phase is not Phase.HOST:
        raise Busy(
            f"the devices are handed over to {guest} ({phase.value})",
            f"shut {guest} down before starting {name}" if guest != name else "",
        )


def require_still_allowed(people: Sequence[Person], wish: Wish) -> None:
    """Raises Refused if the work of others would end, for whom nobody was asked."""
    others = rights.others(people, wish.user) if wish.spares_others else []
    if others:
        raise Refused(
            [
                VfiodError(
                    f"the work of {', '.join(others)} would end, who was not here before",
                    "start it again, which then takes an administrator",
                )
            ]
        )
