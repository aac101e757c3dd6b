"""Looking once more, a little after a return, whether what came home is well.

What is to be looked at lies beside the journal until then: a daemon that is started anew looks.

What is done about a card that is dead ends the desktop, and somebody may have logged in by then. So
a look that fails is repeated, and a card has to be found dead twice in a row.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from vfiod.errors import HostError
from vfiod.handoff.journal import Journal, Record
from vfiod.handoff.operation import Handoff
from vfiod.handoff.recovery import aftercare
from vfiod.handoff.watcher import Submit, Watcher
from vfiod.host.door import Host
from vfiod.model import PciAddress, Phase


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
        with suppress(HostError):  # a full /run is no reason not to look
            self._kept.begin(record)
        self._later(record, first=True)

    def resume(self) -> None:
        """Look at what an earlier daemon would have. Raises HostError if it cannot be read."""
        if (record := self._kept.read()) is not None:
            self._later(record, first=False)

    @property
    def _kept(self) -> Journal:
        return self.journal.beside("returned.json")

    def _forget(self) -> None:
        with suppress(HostError):
            self._kept.clear()

    def _later(self, record: Record, *, first: bool, found: Collection[PciAddress] = ()) -> None:
        look = partial(self._look, record, first=first, found=found)
        seconds = aftercare.CONFIRM_SECONDS if found else aftercare.SETTLE_SECONDS
        self.watcher.after(seconds, lambda: self.submit(look))

    def _look(self, record: Record, *, first: bool, found: Collection[PciAddress]) -> None:
        """``first``: nobody has begun to work yet, so the desktop may be started anew.

        ``found``: what the last look has found dead.
        """
        try:
            now = self.journal.read()
            if not _is_still_so(record, now):
                self._leave_to_others(record)
                return
            dead = aftercare.find_dead(self.host, record, now.entries if now else ())
        except HostError as error:
            self._look_again(record, error, first=first)
            return
        if not dead:
            self._go_on(record, now, first=first)
        elif dead.keys().isdisjoint(found):
            self._later(record, first=first, found=dead)
        else:
            self.handoff().revive(record, dead)

    def _leave_to_others(self, record: Record) -> None:
        """Handed over or tried anew: that return will look."""
        if record.phase is not Phase.STUCK:
            self._forget()

    def _look_again(self, record: Record, error: HostError, *, first: bool) -> None:
        """After one that failed. Raises why, to be told, if that goes on for too long."""
        if aftercare.is_recent(self.host, record):
            self._later(record, first=first)
            return
        self._forget()
        raise error

    def _go_on(self, record: Record, now: Record | None, *, first: bool) -> None:
        """All is well: look again for as long as libvirt may spoil it."""
        if aftercare.needs_watching(self.host, record):
            self._later(record, first=False)
        else:
            self._forget()
        if first and now is None and (blind := aftercare.find_blind(self.host, record)):
            self.handoff().restart_desktop(record, blind)


def _is_still_so(record: Record, now: Record | None) -> bool:
    """True if nothing was begun since this return ended, or since it got stuck."""
    if record.phase is Phase.STUCK:
        return now is not None and now.phase is Phase.STUCK and now.since == record.since
    return now is None
