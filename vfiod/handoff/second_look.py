"""Looking once more, a little after a return, whether what came home is well."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

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

    def later(self, record: Record, *, first: bool = True) -> None:
        """The devices of this handoff are home: see a little later whether they are well."""
        look = partial(self._look, record, first=first)
        self.watcher.after(aftercare.SETTLE_SECONDS, lambda: self.submit(look))

    def _look(self, record: Record, *, first: bool) -> None:
        """``first``: nobody has begun to work yet, so the desktop may be started anew."""
        if self.journal.read() is not None:
            return  # handed over anew: that return will look
        if dead := aftercare.find_dead(self.host, record):
            self.handoff().revive(record, dead)
            return
        if first and (blind := aftercare.find_blind(self.host, record)):
            self.handoff().restart_desktop(record, blind)
        if aftercare.needs_watching(self.host, record):
            self.later(record, first=False)
