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
from vfiod.model import Phase


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
        with suppress(OSError):
            self._kept.clear()

    def _later(self, record: Record, *, first: bool) -> None:
        look = partial(self._look, record, first=first)
        self.watcher.after(aftercare.SETTLE_SECONDS, lambda: self.submit(look))

    def _look(self, record: Record, *, first: bool) -> None:
        """``first``: nobody has begun to work yet, so the desktop may be started anew."""
        now = self.journal.read()
        if record.phase is not Phase.STUCK and now is not None:
            self._forget()
        if not _is_still_so(record, now):
            return  # handed over or tried anew: that return will look
        if dead := aftercare.find_dead(self.host, record, now.entries if now else ()):
            self.handoff().revive(record, dead)
            return
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
