"""Ending a guest's QEMU by signals, where libvirt does not: its daemon hangs, is away, or fails.

It is done as libvirt does it (libvirt: virProcessKillPainfullyDelay in src/util/virprocess.c): at
SIGTERM QEMU writes what is cached of its disks, and ends; SIGKILL comes ten seconds later. For
libvirt, once it is back, the guest has crashed, and it cleans up.
"""

import signal
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from vfiod.errors import HostError, Refused, VfiodError
from vfiod.events import Event, Kind, Report
from vfiod.handoff import presence
from vfiod.handoff.journal import Journal, Record
from vfiod.host.door import Host
from vfiod.model import Holder

# What is left after SIGKILL closes its devices, which resets them, and gives its memory back.
_SIGNALS = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 30.0))


@dataclass(frozen=True, slots=True)
class ForceOff:
    """Runs in the worker. What has ended is noticed as any guest's end is."""

    host: Host
    journal: Journal
    report: Report

    def end(self, name: str) -> None:
        """Returns when no QEMU of the guest has the devices open any more.

        Raises Refused if none has, HostError if it is not known to be this guest's, or stays.
        """
        record = self.journal.read()
        found = self._qemu(record) if record is not None and record.guest == name else {}
        if record is None or not found:
            text = f"no process is seen to have devices of this host open for {name}"
            raise Refused([VfiodError(text)], heading="nothing was ended")
        self._require_its_own(record, found.values())
        for number, seconds in _SIGNALS:
            for holder in found.values():
                self._signal(record, holder, number)
            if self.host.wait(lambda: not self._left(record, found), seconds=seconds):
                return
        raise _stays(name, self._left(record, found))

    def _qemu(self, record: Record) -> dict[int, Holder]:
        return {holder.pid: holder for holder in presence.holders(self.host, record)}

    def _left(self, record: Record, found: Collection[int]) -> Sequence[Holder]:
        return [holder for pid, holder in self._qemu(record).items() if pid in found]

    def _require_its_own(self, record: Record, found: Collection[Holder]) -> None:
        """Only what libvirt has written down, or systemd has in the guest's scope, is its QEMU."""
        pid, scope = self.host.guests.qemu(record.uuid), None
        with suppress(HostError):  # systemd may be what hangs
            scope = self.host.guests.scope(record.guest)
        others = [h for h in found if h.pid != pid and (scope is None or h.unit != scope)]
        if others:
            raise _not_known(record.guest, others)

    def _signal(self, record: Record, holder: Holder, number: signal.Signals) -> None:
        text = (
            f"libvirt has not ended {record.guest}: {number.name} to its QEMU, "
            f"{holder.command} (pid {holder.pid})"
        )
        self.report(Event(Kind.REMARK, text, {"GUEST": record.guest}))
        self.host.processes.signal(holder, number)


def _not_known(name: str, others: Sequence[Holder]) -> HostError:
    pids = [str(holder.pid) for holder in others]
    return HostError(
        f"{name} was not ended: {', '.join(map(str, others))}, and neither libvirt's file of "
        "the guest nor systemd says that this is its QEMU",
        f"what it is: ps -o pid,user,args -p {','.join(pids)}\n"
        f"if it is the guest's: sudo kill {' '.join(pids)}",
    )


def _stays(name: str, left: Sequence[Holder]) -> HostError:
    return HostError(
        f"{name} has not ended {_SIGNALS[-1][1]:g} s after SIGKILL: {', '.join(map(str, left))}, "
        "and waits in the kernel",
        "vfiod takes the devices back as soon as it ends\n"
        "if it does not end: sudo systemctl reboot",
    )
