"""libvirt's word that a guest has ended: journalled at once, and gone about by the worker."""

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from vfiod.errors import HostError
from vfiod.events import Report
from vfiod.handoff.guest_watch import GuestWatch
from vfiod.handoff.journal import Journal
from vfiod.handoff.unread import TRIES, read_later
from vfiod.handoff.watcher import Submit, Watcher
from vfiod.host.door import Host
from vfiod.model import Phase


@dataclass(frozen=True, slots=True)
class Releasing:
    """Called in the main loop, where nothing may take its time."""

    host: Host
    journal: Journal
    report: Report
    watcher: Watcher
    submit: Submit
    guest_watch: GuestWatch

    def release(self, name: str, why: str, told: float, tries: int = TRIES) -> None:
        """``told``: when libvirt said so, in seconds since boot. What began later is another's."""
        try:
            record = self.journal.read()
        except HostError as error:
            again = partial(self.release, name, why, told)
            read_later(error, tries, again, self.report, self.watcher, self.submit)
            raise
        if record is None or record.guest != name or record.phase is Phase.STUCK:
            return
        if record.since > told and record.phase is not Phase.GUEST:  # which its QEMU began then
            return
        # Otherwise whether it is true is seen by the worker, which has the time to look.
        if self.host.guests.is_cleaned_up(record.uuid):
            # A full /run must not stop the way home.
            with suppress(HostError):
                self.journal.update(lambda r: replace(r, phase=Phase.RETURN))
        self.submit(self.guest_watch.release, record.transaction, why)
