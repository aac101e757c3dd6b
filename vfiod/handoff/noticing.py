"""A login screen that comes after all: a return that is stuck for it alone is over then.

A monitor that was off is switched on, a greeter took its minutes, somebody has typed `systemctl
start`. Nothing is started or ended for that, it is only noticed. The journal says what is looked
for, so a daemon that is started anew looks as well; whatever else becomes of it ends the looking.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from vfiod.errors import HostError
from vfiod.handoff.journal import Journal, Record
from vfiod.handoff.operation import Handoff
from vfiod.handoff.recovery import aftercare, greeting
from vfiod.handoff.recovery.greeting import Sight
from vfiod.handoff.watcher import Submit, Watcher
from vfiod.host.door import Host
from vfiod.model import Phase

# RETURN: that it is stuck could not be written, and nothing runs beside a look.
_STUCK = (Phase.STUCK, Phase.RETURN)


@dataclass(frozen=True, slots=True)
class Noticing:
    """``handoff`` gives what ends the return then."""

    host: Host
    journal: Journal
    watcher: Watcher
    submit: Submit
    handoff: Callable[[], Handoff]

    def begin(self) -> None:
        """Something got stuck: look for as long as it is so, if it is for a login screen alone."""
        with suppress(HostError):  # what cannot be read is told by others
            record = self.journal.read()
            if record is not None and greeting.awaited(record.entries):
                self._later(record, Sight())

    def _later(self, stuck: Record, before: Sight) -> None:
        look = partial(self._look, stuck, before)
        self.watcher.after(aftercare.SETTLE_SECONDS, lambda: self.submit(look))

    def _look(self, stuck: Record, before: Sight) -> None:
        try:
            now = self.journal.read()
            if now is None or now.phase not in _STUCK or _which(now) != _which(stuck):
                return
            awaited = greeting.awaited(now.entries)
            if awaited is None:
                return
            entry, step = awaited
            sight = greeting.see(self.host, step, before)
            if sight.is_there:
                # Not by its undo, which would start what has only just ended.
                self.journal.remove(entry)
        except HostError:
            self._later(stuck, Sight())
            return
        if sight.is_there:
            why = f"{step.unit} shows a login screen or a desktop by now"
            self.handoff().return_devices(now.transaction, why, may_reset=False)
        else:
            self._later(stuck, sight)


def _which(record: Record) -> tuple[str, float]:
    return record.transaction, record.since
