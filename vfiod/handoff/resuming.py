"""What a daemon does first: finish, reverse or adopt what an earlier one left."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from vfiod.config.schema import Limits
from vfiod.errors import HostError
from vfiod.events import Report
from vfiod.handoff.guest_watch import GuestWatch
from vfiod.handoff.journal import Journal, Record
from vfiod.handoff.operation import Handoff
from vfiod.handoff.retrying import Retrying
from vfiod.handoff.second_look import SecondLook
from vfiod.handoff.unread import TRIES, read_later
from vfiod.handoff.watcher import Submit, Watcher
from vfiod.host.door import Host
from vfiod.model import Phase


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

    def resume(self, tries: int = TRIES) -> None:
        """``tries``: how often it is tried again, if what is to be done cannot be read."""
        try:
            record = self.journal.read()
        except HostError as error:
            read_later(error, tries, self.resume, self.report, self.watcher, self.submit)
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
