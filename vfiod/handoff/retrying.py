"""Stuck is not for ever: when what it is due to has ended, the return goes on by itself.

That is a kernel call or a program that was late, a process that had the devices open, or a unit
whose start took its time. Nobody has to type anything.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from vfiod.errors import HostError, Stuck
from vfiod.events import Event, Kind, Report
from vfiod.handoff import presence
from vfiod.handoff.journal import Journal, Record
from vfiod.handoff.operation import Handoff
from vfiod.handoff.recovery.outlook import TRIES, Outlook, taken_up
from vfiod.handoff.recovery.patience import is_busy
from vfiod.handoff.recovery.recover import why_not_reboot
from vfiod.handoff.watcher import Submit, Watcher
from vfiod.host.door import Host
from vfiod.model import Phase

# Between two looks at a unit whose job is late.
LOOK_SECONDS = 5.0
# What has not ended by then never will: on_stuck: reboot acts after all.
PATIENCE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What is watched already, and how often a handoff was tried again; by this daemon."""

    pids: set[int] = field(default_factory=set)
    units: set[str] = field(default_factory=set)
    tries: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Retrying:
    """Watches what a stuck return waits for. ``handoff`` gives what moves the devices."""

    host: Host
    journal: Journal
    report: Report
    watcher: Watcher
    submit: Submit
    handoff: Callable[[], Handoff]
    seen: Seen

    def watch(self, record: Record, stuck: Stuck) -> Outlook:
        """Have it tried again when something of it has ended. Gives what becomes of it."""
        if stuck.is_left_to_successor:
            return Outlook(waits=True)
        late = {call.pid: call.what for call in self.host.late.calls()}
        found = self.host.processes.vfio_holders(record.groups)
        holders = {h.pid: f"{h.command} (pid {h.pid})" for h in found}
        for pid in (late.keys() | holders.keys()) - self.seen.pids:
            self._watch_process(record, pid, late.get(pid, holders.get(pid, "")), pid in late)
        for unit in stuck.units - self.seen.units:
            self.seen.units.add(unit)
            self._look_later(record, unit)
        # It may have ended between its deadline and now; and a number that was used again since
        # would be another process: those that are still there are.
        there = {call.pid for call in self.host.late.calls()} | holders.keys()
        if ended := (stuck.pids | late.keys()) - there:
            self.submit(self._retry, record, "a late call has ended")
        waits = bool(there or ended or stuck.units)
        is_spent = self.seen.tries[record.transaction] >= TRIES
        reboots = record.may_reboot and stuck.display_lost
        return Outlook(waits, is_spent, self._arm_reboot(record, waits=waits) if reboots else None)

    def _arm_reboot(self, record: Record, *, waits: bool) -> float | None:
        """In how many seconds the host is rebooted; at once by who asks. None if it is not."""
        if not waits:
            return None if why_not_reboot(self.host) else 0.0
        self._say(Kind.REMARK, "not rebooting yet (on_stuck: reboot): it may still end", record)
        now = self.journal.read()
        self.watcher.after(PATIENCE_SECONDS, lambda: self.submit(self._lose_patience, now))
        return PATIENCE_SECONDS

    def resume(self, record: Record) -> None:
        """What got stuck under an earlier daemon: what that waited for may have ended since.

        Resets were tried in vain then, unless something was late. Raises Stuck.
        """
        if self.watch(record, record.stuck).waits:
            with suppress(HostError):
                self.journal.update(_taken_up)
            self._say(Kind.STUCK, str(_taken_up(record).stuck), record)
            return
        self._say(Kind.STUCK, str(record.stuck), record)
        why = "the daemon was started anew"
        self.handoff().return_devices(record.transaction, why, may_reset=record.awaits)

    def _watch_process(self, record: Record, pid: int, what: str, is_late: bool) -> None:  # noqa: FBT001
        self.seen.pids.add(pid)
        if is_late:
            text = f"{what} has not ended (pid {pid}); once it does, the return goes on by itself"
            self._say(Kind.KERNEL_STUCK, text, record)
        self.watcher.on_exit(pid, partial(self.submit, self._ended, record, pid, what, is_late))

    def _ended(self, record: Record, pid: int, what: str, is_late: bool) -> None:  # noqa: FBT001
        self.seen.pids.discard(pid)
        if is_late:
            self._say(Kind.KERNEL_ANSWERS, f"{what} has ended after all", record)
        self._retry(record, f"{what} has ended")

    def _look_later(self, record: Record, unit: str) -> None:
        self.watcher.after(LOOK_SECONDS, lambda: self.submit(self._look, record, unit))

    def _look(self, record: Record, unit: str) -> None:
        """Again and again, as long as the unit's job takes and a return is stuck."""
        if self._stuck_now() and is_busy(self.host, unit):
            self._look_later(record, unit)
            return
        self.seen.units.discard(unit)
        self._retry(record, f"the job of {unit} has ended")

    def _retry(self, record: Record, why: str) -> None:
        """What is stuck by now: another handoff may wait for what an earlier one was stuck on.

        Only what was watched for its own sake counts as one of its tries.
        """
        now = self._stuck_now()
        if now is None:
            return
        self.seen.tries[now.transaction] += now.transaction == record.transaction
        if self.seen.tries[now.transaction] > TRIES:
            text = f"{why}, but this was tried {TRIES} times; to try again, run: sudo vfiod return"
            self._say(Kind.REMARK, text, now)
            return
        self.handoff().return_devices(now.transaction, why)

    def _stuck_now(self) -> Record | None:
        """RETURN: that it is stuck could not be written, and nothing runs beside this."""
        now = self.journal.read()
        return now if now is not None and now.phase in (Phase.STUCK, Phase.RETURN) else None

    def _lose_patience(self, record: Record | None) -> None:
        """Nothing has changed since: what may still end has not."""
        now = self.journal.read()
        if record is None or now is None or _which(now) != _which(record):
            return
        runs = False
        with suppress(HostError):  # who cannot be asked is no reason to leave the host dark
            runs = presence.is_running(self.host, record)
        if runs:
            text = f"not rebooting (on_stuck: reboot): libvirt says that {record.guest} runs"
            self._say(Kind.REMARK, text, record)
            return
        self.handoff().reboot(record)

    def _say(self, kind: Kind, text: str, record: Record) -> None:
        fields = {"GUEST": record.guest, "TRANSACTION": record.transaction}
        self.report(Event(kind, text, fields))


def _taken_up(record: Record) -> Record:
    return replace(record, faults=tuple(map(taken_up, record.faults)))


def _which(record: Record) -> tuple[str, float]:
    """Which try of which handoff it is."""
    return record.transaction, record.since
