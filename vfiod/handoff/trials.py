"""A trial belongs to one handoff: what ends its guest must not meet the next one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from vfiod.errors import HostError
from vfiod.events import Event, Kind, Report
from vfiod.host.door import Host


@dataclass(frozen=True, slots=True)
class Trials:
    """Ends trials, in the worker. None is under way as a rule."""

    host: Host
    report: Report

    @contextmanager
    def start_of(self, guest: str) -> Iterator[None]:
        """If the start fails there is nothing left to end later; who set the trial may be gone."""
        try:
            yield
        except Exception:
            self.end(guest)
            raise

    def end(self, guest: str) -> None:
        """The guest's handoff is over, and so is its trial; that this failed is only told."""
        try:
            self.host.commands.end_trial(guest)
        except HostError as error:
            text = f"a trial of {guest} may go on, and end its next start: {error.message}"
            told = HostError(text, "to stop it: sudo vfiod keep")
            self.report(Event(Kind.REMARK, str(told), {"GUEST": guest}))
