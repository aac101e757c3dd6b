"""One operation at a time: handoff, return, recovery. Knows the order, not the machine."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from vfiod import domain, inventory, plan
from vfiod.checks import Request
from vfiod.config import Config, GuestConfig
from vfiod.domain import Domain
from vfiod.errors import Busy, ConfigError, HostError, Stuck, VfiodError
from vfiod.events import Event, Kind, Report
from vfiod.handoff import Handoff, list_devices
from vfiod.host import Host
from vfiod.journal import Journal, Record
from vfiod.model import Holder, Phase


class Watcher(Protocol):
    """The main loop's eye on things that happen later."""

    def on_exit(self, pid: int, then: Callable[[], object]) -> None:
        """Call ``then`` once the process has ended (pidfd_open(2))."""

    def after(self, seconds: float, then: Callable[[], object]) -> None:
        """Call ``then`` after a time."""


@dataclass(frozen=True, slots=True)
class Manager:
    """The composition that every operation needs. ``load_config`` reads the file afresh."""

    host: Host
    journal: Journal
    load_config: Callable[[], Config]
    report: Report
    watcher: Watcher
    worker: ThreadPoolExecutor

    @property
    def handoff(self) -> Handoff:
        """What moves the devices."""
        return Handoff(self.host, self.journal, self.report)

    # Called by the bus; each returns at once with the promise of an answer.

    def prepare(self, name: str, xml: str) -> "Future[None]":
        """Hand the devices over before the guest starts; done when they are with vfio-pci."""
        return self._submit(self._prepare, name, xml)

    def started(self, name: str) -> "Future[None]":
        """The guest's QEMU runs: watch it."""
        return self._submit(self._follow_guest, name)

    def release(self, name: str, reason: str) -> None:
        """The guest has ended: journal the return and go about it. Never blocks.

        What is stuck stays so: only a person who has set it right asks again.
        """
        record = self.journal.read()
        if record is None or record.guest != name or record.phase is Phase.STUCK:
            return
        # A full /run must not stop the way home.
        with suppress(HostError):
            self.journal.update(lambda r: replace(r, phase=Phase.RETURN))
        self._submit(self._end, record.transaction, f"it ended ({reason})")

    def take_back(self) -> "Future[None]":
        """What a person asks for: the devices back now, if no guest has them."""
        return self._submit(self._take_back)

    def recover(self) -> "Future[None]":
        """At start: finish, reverse or adopt what an earlier daemon left."""
        return self._submit(self._recover)

    def _submit(self, task: Callable[..., None], *arguments: object) -> "Future[None]":
        """Queue a task; a fault of vfiod itself in it must be seen, not lost with the future."""
        future = self.worker.submit(task, *arguments)
        future.add_done_callback(self._report_bug)
        return future

    def _report_bug(self, future: "Future[None]") -> None:
        error = None if future.cancelled() else future.exception()
        if error is not None and not isinstance(error, VfiodError):
            text = f"a fault of vfiod itself, please report it: {error!r}"
            self.report(Event(Kind.STEP_FAILED, text))

    # Run by the worker, one at a time.

    def _prepare(self, name: str, xml: str) -> None:
        try:
            config = self.load_config()
            guest = config.guests.get(name)
            if guest is None:
                return
            self._require_idle(name)
            decided = plan.plan_handoff(self._request(config, guest, domain.parse(xml)))
        except VfiodError as error:
            kind = Kind.CONFIG_WRONG if isinstance(error, ConfigError) else Kind.REFUSED
            self._say(kind, f"{name} was not started: {error}", guest=name)
            raise
        self.handoff.hand_over(decided)
        self._watch_limbo(config.limits.guest)

    def _request(self, config: Config, guest: GuestConfig, wanted: Domain) -> Request:
        return Request(config, guest, wanted, inventory.read(self.host, config, guest, wanted))

    def _require_idle(self, name: str) -> None:
        record = self.journal.read()
        if record is None:
            return
        if self._is_orphan(record, name):
            self.handoff.give_back(record.transaction, "it is started anew")
            return
        if record.phase is Phase.STUCK:
            raise Stuck("; ".join(record.faults), "after setting it right, run: vfiod return")
        raise Busy(
            f"the devices are handed over to {record.guest} ({record.phase.value})",
            f"shut {record.guest} down before starting {name}",
        )

    def _end(self, transaction_id: str, why: str) -> None:
        """The guest has ended. Hook and QEMU's end both say so; what got stuck stays stuck."""
        record = self.journal.read()
        if record is not None and record.phase is not Phase.STUCK:
            self.handoff.give_back(transaction_id, why)

    def _take_back(self) -> None:
        record = self.journal.read()
        if record is None:
            return
        if holders := self._guest_holders(record):
            raise Busy(
                f"{record.guest} is running: {', '.join(map(str, holders))}",
                "shut it down, or use: vfiod return --destroy",
            )
        self.handoff.give_back(record.transaction, "somebody asked for it")

    def _recover(self) -> None:
        try:
            record = self.journal.read()
        except HostError as error:
            self._say(Kind.STUCK, f"what an earlier run left cannot be known: {error}", guest="")
            raise
        if record is None:
            self._sweep()
        elif record.phase in (Phase.HANDOFF, Phase.RETURN):
            self.handoff.give_back(record.transaction, "the daemon was restarted in the middle")
        elif record.phase is Phase.STUCK:
            self._say(Kind.STUCK, "; ".join(record.faults), guest=record.guest)
        elif self._adopt(record):
            return
        elif record.phase is Phase.GUEST:
            self.handoff.give_back(record.transaction, "its QEMU ended while the daemon was away")
        else:
            waited = self.host.now() - record.since
            self._watch_limbo(max(0.0, self._guest_limit() - waited))

    def _guest_limit(self) -> float:
        """How long QEMU may take; a configuration that is broken by now must not mean for ever."""
        try:
            return self.load_config().limits.guest
        except ConfigError:
            return Config().limits.guest

    def _sweep(self) -> None:
        """No handoff is under way: a staged ROM is then left over from before a reboot."""
        for address in self.host.files.staged_roms():
            self.host.files.unstage_rom(address)

    def _is_orphan(self, record: Record, name: str) -> bool:
        """Prepared for the very guest that is being prepared: its earlier start is dead.

        libvirt starts a guest once at a time; it was killed before it could start QEMU.
        """
        prepared = record.guest == name and record.phase is Phase.PREPARED
        return prepared and not self._guest_holders(record)

    # Following a guest's QEMU.

    def _follow_guest(self, name: str) -> None:
        record = self.journal.read()
        if record is not None and record.guest == name and record.phase is Phase.PREPARED:
            self._adopt(record)

    def _adopt(self, record: Record) -> bool:
        """Watch the QEMU that holds the devices; False if there is none."""
        holders = self._guest_holders(record)
        if not holders:
            return False
        if record.phase is not Phase.PREPARED:
            text = f"{record.guest} goes on running with {list_devices(record)}"
            self._say(Kind.ADOPTED, text, guest=record.guest)
        self.handoff.advance(Phase.GUEST)
        for holder in holders:
            self.watcher.on_exit(holder.pid, lambda: self._guest_gone(record))
        self.host.logins.inhibit(f"{record.guest} has the display")
        return True

    def _guest_gone(self, record: Record) -> None:
        self._submit(self._end, record.transaction, "its QEMU has ended")

    def _watch_limbo(self, seconds: float) -> None:
        record = self.journal.read()
        if record is not None:
            self.watcher.after(seconds, lambda: self._submit(self._end_limbo, record))

    def _end_limbo(self, record: Record) -> None:
        """Prepared, but libvirt never started QEMU (it was killed in between): take it back."""
        now = self.journal.read()
        if now is None or now.transaction != record.transaction or now.phase is not Phase.PREPARED:
            return
        if self._adopt(now):
            return
        text = f"{record.guest} was prepared but never started; taking {list_devices(record)} back"
        self._say(Kind.LIMBO, text, guest=record.guest)
        self.handoff.give_back(record.transaction, "it never started")

    def _guest_holders(self, record: Record) -> list[Holder]:
        return list(self.host.processes.vfio_holders(record.groups))

    # Telling.

    def _say(self, kind: Kind, text: str, *, guest: str) -> None:
        self.report(Event(kind, text, {"GUEST": guest}))
