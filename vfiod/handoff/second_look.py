"""Looking once more, a little after a return, whether what came home is well.

What is to be looked at lies beside the journal until then: a daemon that is started anew looks.

What is done about a card that is dead ends the desktop, and somebody may have logged in by then. So
a look that fails is repeated, and a card has to be found dead twice in a row. A login screen has
its time to come, and has to be there twice.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from vfiod.errors import HostError
from vfiod.handoff.journal import RETURNED, Entry, Journal, Record
from vfiod.handoff.noticing import Noticing
from vfiod.handoff.operation import Handoff
from vfiod.handoff.recovery import aftercare, greeting
from vfiod.handoff.recovery.greeting import Seen
from vfiod.handoff.watcher import Submit, Watcher
from vfiod.host.door import Host
from vfiod.model import PciAddress, Phase


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at, and what the last look has seen.

    ``since``, in seconds since boot: when a login screen was first waited for. ``is_first``: nobody
    has begun to work yet, so the desktop may be started anew for a screen. ``dead``: what was found
    dead; ``shown_by``: who had a display open.
    """

    record: Record
    since: float
    is_first: bool = False
    dead: Collection[PciAddress] = ()
    shown_by: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class SecondLook:
    """``handoff`` gives what moves the devices, as it may have to once more."""

    host: Host
    journal: Journal
    watcher: Watcher
    submit: Submit
    handoff: Callable[[], Handoff]

    def begin(self, record: Record) -> None:
        """Devices of this handoff are home: see a little later whether they are well.

        Also if others are stuck (its phase): libvirt may reset what is home all the same.
        """
        self._keep(record)
        self._later(Look(record, self.host.now(), is_first=True))
        self._noticing.begin()

    def resume(self) -> None:
        """Look at what an earlier daemon would have. Raises HostError if it cannot be read."""
        self._noticing.begin()
        if (record := self._kept.read()) is not None:
            self._later(Look(record, self.host.now()))

    @property
    def _noticing(self) -> Noticing:
        return Noticing(self.host, self.journal, self.watcher, self.submit, self.handoff)

    @property
    def _kept(self) -> Journal:
        return self.journal.beside(RETURNED)

    def _keep(self, record: Record) -> None:
        with suppress(HostError):  # a full /run is no reason not to look
            self._kept.begin(record)

    def _forget(self) -> None:
        with suppress(HostError):
            self._kept.clear()

    def _later(self, look: Look) -> None:
        seconds = aftercare.CONFIRM_SECONDS if look.dead else aftercare.SETTLE_SECONDS
        self.watcher.after(seconds, lambda: self.submit(partial(self._look, look)))

    def _look(self, look: Look) -> None:
        try:
            now = self.journal.read()
            if not _is_still_so(look.record, now):
                self._leave_to_others(look.record)
                return
            left = now.entries if now else ()
            dead = aftercare.find_dead(self.host, look.record, left)
            seen = greeting.SETTLED if dead else self._look_at_desktop(look, left)
        except HostError as error:
            self._look_again(look, error)
            return
        if not dead:
            self._go_on(look, seen, left)
        elif dead.keys().isdisjoint(look.dead):
            self._later(replace(look, dead=dead))
        else:
            self.handoff().revive(look.record, dead)

    def _leave_to_others(self, record: Record) -> None:
        """Handed over or tried anew: that return will look."""
        if record.phase is not Phase.STUCK:
            self._forget()

    def _look_again(self, look: Look, error: HostError) -> None:
        """After one that failed. Raises why, to be told, if that goes on for too long."""
        if aftercare.is_recent(self.host, look.record):
            self._later(replace(look, dead=(), since=self.host.now()))
            return
        self._forget()
        raise error

    def _look_at_desktop(self, look: Look, left: Collection[Entry]) -> Seen:
        """Raises HostError if it cannot be looked at."""
        step = greeting.started(look.record, left)
        if step is None:
            return greeting.SETTLED
        if look.is_first and step.displays and not left:
            blind = ", ".join(map(str, aftercare.find_blind(self.host, look.record)))
            if blind:
                return Seen(f"{blind} sees no screen where one was before")
        waited = self.host.now() - look.since
        return greeting.look(self.host, step, look.shown_by, waited)

    def _go_on(self, look: Look, seen: Seen, left: Collection[Entry]) -> None:
        """All devices are well: look again for as long as the login screen may come, or libvirt
        spoil something.
        """
        step = greeting.started(look.record, left)
        if step is not None and seen.fault:
            self.handoff().renew_desktop(look.record, step, seen.fault)
        elif not seen.is_settled:
            again = replace(look, is_first=False, dead=(), shown_by=seen.shown_by)
            self._later(again)
        elif aftercare.needs_watching(self.host, look.record):
            record = greeting.checked(look.record)
            self._keep(record)
            self._later(Look(record, look.since))
        else:
            self._forget()


def _is_still_so(record: Record, now: Record | None) -> bool:
    """True if nothing was begun since this return ended, or since it got stuck."""
    if record.phase is Phase.STUCK:
        return now is not None and now.phase is Phase.STUCK and now.since == record.since
    return now is None
