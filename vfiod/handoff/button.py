"""The power button, which a handoff takes from logind: what is one press, and what it does."""

from collections.abc import Callable
from dataclasses import dataclass

from vfiod.config.schema import Limits
from vfiod.events import Event, Kind, Report
from vfiod.handoff.journal import Journal
from vfiod.handoff.watcher import Submit
from vfiod.host.door import Host
from vfiod.model import Phase

# Firmware may report a press twice (LNXPWRBN and PNP0C0C), and a worn contact bounces. A second
# press pulls the guest's plug, so it must be somebody's.
SECONDS = 2.0


@dataclass(slots=True)
class Button:
    """Remembers when it was last pressed, in seconds since boot."""

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
        asked = self.host.guests.is_shutting_down()
        seconds = 0.0 if asked else self.limits().shutdown
        how = "it is forced off" if asked else f"it has {seconds:g} s to shut down"
        self.report(Event(Kind.REMARK, f"power button: {how}", {"GUEST": record.guest}))
        self.host.guests.end(seconds=seconds)
