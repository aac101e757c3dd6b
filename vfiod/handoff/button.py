"""The power button, which a handoff takes from logind: what is one press, and what it does."""

from collections.abc import Callable
from dataclasses import dataclass

from vfiod.config.schema import Limits
from vfiod.errors import HostError
from vfiod.events import Event, Kind, Report
from vfiod.handoff.force_off import ForceOff
from vfiod.handoff.journal import Journal
from vfiod.handoff.watcher import Submit
from vfiod.host.door import Host
from vfiod.model import Phase

# Firmware may report a press twice (LNXPWRBN and PNP0C0C), and a worn contact bounces. A second
# press pulls the guest's plug, so it must be somebody's.
SECONDS = 2.0


@dataclass(slots=True)
class Button:
    """Remembers when it was last pressed, in seconds since boot, and who was asked by it.

    ``asked``: the handoff whose guest was, by its transaction. What came of that is gone once it
    has failed.
    """

    asked: str = ""
    _last: float | None = None

    def is_pressed(self, now: float) -> bool:
        """False for a report that belongs to the press before."""
        is_new = self._last is None or now - self._last >= SECONDS
        if is_new:
            self._last = now
        return is_new


@dataclass(frozen=True, slots=True)
class PowerButton:
    """Ends the guest: the first press asks it to shut down, the next one forces it off."""

    host: Host
    journal: Journal
    report: Report
    limits: Callable[[], Limits]
    submit: Submit
    button: Button

    def pressed(self) -> None:
        """Called in the main loop; the work is the worker's."""
        if self.button.is_pressed(self.host.now()):
            self.submit(self._end_guest)

    def _end_guest(self) -> None:
        record = self.journal.read()
        if record is None or record.phase is not Phase.GUEST:
            return
        # The daemon may have been started anew in between.
        is_second = self.button.asked == record.transaction or self.host.guests.is_shutting_down()
        self.button.asked = record.transaction
        seconds = 0.0 if is_second else self.limits().shutdown
        self.report(Event(Kind.REMARK, _told(record.guest, seconds), {"GUEST": record.guest}))
        try:
            self.host.guests.end(seconds=seconds)
        except HostError:  # systemd begins nothing
            if not is_second:
                raise
            ForceOff(self.host, self.journal, self.report).end(record.guest)


def _told(guest: str, seconds: float) -> str:
    """What a press does. How the guest takes it is not known yet: it may be asleep, or crashed."""
    if not seconds:
        return f"power button: {guest} is forced off"
    return f"power button: {guest} is asked to shut down, and forced off after {seconds:g} s"
