"""Looking once more, a little after a return, whether what came home is well.

What is to be looked at lies beside the journal until then: a daemon that is started anew looks.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from vfiod.errors import HostError
from vfiod.handoff import aftercare
from vfiod.handoff.guest_watch import Submit, Watcher
from vfiod.handoff.journal import Journal, Record
from vfiod.handoff.operation import Handoff
from vfiod.host.door import Host


@dataclass(frozen=True, slots=True)
class SecondLook:
    """``handoff`` gives what moves the devices, as it may have to once more."""

    host: Host
    journal: Journal
    watcher: Watcher
    submit: Submit
    handoff: Callable[[], Handoff]

    def begin(self, record: Record) -> None:
        """The devices of this handoff are home: see a little later whether they are well."""
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
        with suppress(OSError):
            self._kept.clear()

    def _later(self, record: Record, *, first: bool) -> None:
        look = partial(self._look, record, first=first)
        self.watcher.after(aftercare.SETTLE_SECONDS, lambda: self.submit(look))

    def _look(self, record: Record, *, first: bool) -> None:
        """``first``: nobody has begun to work yet, so the desktop may be started anew."""
        if self.journal.read() is not None:
            self._forget()
            return  # handed over anew: that return will look
        if dead := aftercare.find_dead(self.host, record):
            self.handoff().revive(record, dead)
            return
        if aftercare.needs_watching(self.host, record):
            self._later(record, first=False)
        else:
            self._forget()
        if first and (blind := aftercare.find_blind(self.host, record)):
            self.handoff().restart_desktop(record, blind)
