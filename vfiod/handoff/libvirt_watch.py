"""The watch on libvirt's daemon while a guest has the devices: without it no guest ends.

libvirt starts QEMU with -no-shutdown and ends it when it hears that the guest has shut down
(libvirt: qemuProcessHandleShutdown in src/qemu/qemu_process.c). With its daemon away QEMU stays: no
process ends, no hook is called, and the screen is dark. A daemon that is started then ends such a
QEMU at once (qemuProcessReconnect, "Finishing shutdown sequence"). One that has nothing to do ends
by itself, but not while guests run (libvirt: virNetDaemonAddShutdownInhibition).
"""

from dataclasses import dataclass
from functools import partial

from vfiod.errors import HostError, VfiodError
from vfiod.events import Event, Kind, Report
from vfiod.handoff.journal import Journal, Record
from vfiod.handoff.recovery.recover import is_shutting_down
from vfiod.handoff.unread import LOOK_AGAIN_SECONDS
from vfiod.handoff.watcher import Submit, Watcher
from vfiod.host.door import Host
from vfiod.model import Phase

# For one guest: who goes on stopping it has a reason.
_STARTS = 3


@dataclass(frozen=True, slots=True)
class LibvirtWatch:
    """Looks every minute, in the worker; a daemon that is down is started once for each stop."""

    host: Host
    journal: Journal
    report: Report
    watcher: Watcher
    submit: Submit

    def begin(self, transaction_id: str) -> None:
        """From now on until this handoff's guest has ended."""
        self._look_later(transaction_id, _STARTS, is_told=False)

    def _look_later(self, transaction_id: str, starts: int, *, is_told: bool) -> None:
        """``starts``: how many are left; ``is_told``: of this stop."""
        look = partial(self._look, transaction_id, starts, is_told=is_told)
        self.watcher.after(LOOK_AGAIN_SECONDS, partial(self.submit, look))

    def _look(self, transaction_id: str, starts: int, *, is_told: bool) -> None:
        try:
            record = self.journal.read()
            if record is None or record.transaction != transaction_id:
                return
            if record.phase is not Phase.GUEST:
                return
            if self.host.guests.libvirt_runs() or is_shutting_down(self.host):
                is_told = False
            elif not is_told:
                starts -= 1
                self._start(record, is_last=not starts)
                is_told = True
        except HostError:  # whoever was asked is away for a moment
            pass
        if starts:
            self._look_later(transaction_id, starts, is_told=is_told)

    def _start(self, record: Record, *, is_last: bool) -> None:
        guests, name = self.host.guests, record.guest
        guests.wake_libvirt()
        then = f"without it {name} stays in its QEMU when it shuts down, and the screen dark"
        if guests.libvirt_runs():
            again = ", and not again for this guest" if is_last else ""
            told = VfiodError(f"libvirt's daemon does not run, and {then}: it is started{again}")
        else:
            told = VfiodError(
                f"libvirt's daemon does not run and cannot be started: {then}",
                "why: systemctl status libvirtd virtqemud\n"
                f"if {name} has shut down: sudo vfiod return --destroy\n"
                "or press the power button, and again two seconds later",
            )
        self.report(Event(Kind.REMARK, str(told), {"GUEST": name}))
