"""What a daemon does first: finish, reverse or adopt what an earlier one left."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from vfiod.config.schema import Limits
from vfiod.errors import HostError
from vfiod.events import Event, Kind, Report
from vfiod.handoff.guest_watch import LOOK_AGAIN_SECONDS, GuestWatch
from vfiod.handoff.journal import Journal, Record
from vfiod.handoff.operation import Handoff
from vfiod.handoff.retrying import Retrying
from vfiod.handoff.second_look import SecondLook
from vfiod.handoff.watcher import Submit, Watcher
from vfiod.host.door import Host
from vfiod.model import Phase

# A journal that is damaged will never be read: that is for a person.
_TRIES = 10


@dataclass(frozen=True, slots=True)
class Resuming:
    """Reads the journal and hands what is in it to whom it concerns."""

    host: Host
    journal: Journal
    report: Report
    watcher: Watcher
    submit: Submit
    handoff: Handoff
    guest_watch: GuestWatch
    retrying: Retrying
    second_look: SecondLook
    limits: Callable[[], Limits]

    def resume(self, tries: int = _TRIES) -> None:
        """``tries``: how often it is tried again, if what is to be done cannot be read."""
        try:
            record = self.journal.read()
        except HostError as error:
            if tries == _TRIES:
                text = f"what an earlier run left cannot be known: {error}"
                self.report(Event(Kind.STUCK, text, {"GUEST": ""}))
            if tries:
                again = partial(self.submit, self.resume, tries - 1)
                self.watcher.after(LOOK_AGAIN_SECONDS, again)
            raise
        if record is None:
            try:
                self.second_look.resume()
            finally:
                self._sweep()
        else:
            self._go_on(record)

    def _go_on(self, record: Record) -> None:
        if record.phase in (Phase.HANDOFF, Phase.RETURN):
            why = "the daemon was restarted in the middle"
            self.handoff.return_devices(record.transaction, why)
        elif record.phase is Phase.STUCK:
            with suppress(HostError):
                self.second_look.resume()
            self.retrying.resume(record)
        else:
            self.guest_watch.resume(record, self.limits().guest)

    def _sweep(self) -> None:
        """No handoff is under way: what stands there is left over, a ROM from before a reboot."""
        self.host.logins.uninhibit()
        for address in self.host.files.staged_roms():
            self.host.files.unstage_rom(address)
