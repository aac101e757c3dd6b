"""One operation at a time: handoff, return, recovery. Knows the order, not the machine."""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from shlex import quote

from vfiod.config.schema import Config, Limits
from vfiod.errors import Busy, ConfigError, HostError, UnknownGuest, VfiodError
from vfiod.events import Event, Kind, Report
from vfiod.guest import domain
from vfiod.handoff.button import Button, PowerButton
from vfiod.handoff.decision import plan, snapshot
from vfiod.handoff.decision.hoststate import VFIO_MODULE
from vfiod.handoff.decision.plan import Plan
from vfiod.handoff.decision.rehearsal import without_desktop, without_guest
from vfiod.handoff.decision.request import Request
from vfiod.handoff.force_off import ForceOff
from vfiod.handoff.guest_watch import GuestWatch
from vfiod.handoff.idle import require_idle
from vfiod.handoff.journal import Journal, Record
from vfiod.handoff.operation import Handoff, not_done
from vfiod.handoff.presence import has_let_go, is_starting, still_runs
from vfiod.handoff.releasing import Releasing
from vfiod.handoff.resuming import Resuming
from vfiod.handoff.retrying import Retrying, Seen
from vfiod.handoff.second_look import SecondLook
from vfiod.handoff.tasks import REHEARSED, STARTED, Start, Tasks, notice_shutdown, require_wanted
from vfiod.handoff.trials import Trials
from vfiod.handoff.watcher import Watcher
from vfiod.host.door import Host
from vfiod.model import Phase


@dataclass(frozen=True, slots=True)
class Manager:
    """The composition that every operation needs. ``load_config`` reads the file afresh."""

    host: Host
    journal: Journal
    load_config: Callable[[], Config]
    report: Report
    watcher: Watcher
    tasks: Tasks
    seen: Seen = field(default_factory=Seen)
    button: Button = field(default_factory=Button)
    watched: set[int] = field(default_factory=set)

    @property
    def handoff(self) -> Handoff:
        """What moves the devices."""
        parts = (self.host, self.journal, self.report)
        return Handoff(*parts, self._returned, self.retrying.watch, self._limits)

    @property
    def _second_look(self) -> SecondLook:
        parts = (self.host, self.journal, self.watcher, self.tasks.submit_unwatched)
        return SecondLook(*parts, lambda: self.handoff)

    @property
    def retrying(self) -> Retrying:
        """What goes on by itself with a return that got stuck."""
        parts = (self.host, self.journal, self.report, self.watcher, self.tasks.submit_unwatched)
        return Retrying(*parts, lambda: self.handoff, self.seen)

    @property
    def guest_watch(self) -> GuestWatch:
        """What keeps an eye on the guest."""
        parts = (self.host, self.journal, self.handoff, self.report, self.watcher)
        return GuestWatch(
            *parts, self.tasks.submit_unwatched, self._power_button.pressed, self.watched
        )

    @property
    def _resuming(self) -> Resuming:
        parts = (self.host, self.journal, self.report, self.watcher, self.tasks.submit_unwatched)
        concerned = (self.handoff, self.guest_watch, self.retrying, self._second_look)
        return Resuming(*parts, *concerned, self._limits)

    @property
    def _releasing(self) -> Releasing:
        parts = (self.host, self.journal, self.report, self.watcher, self.tasks.submit_unwatched)
        return Releasing(*parts, self.guest_watch)

    @property
    def _power_button(self) -> PowerButton:
        parts = (self.host, self.journal, self.report)
        return PowerButton(*parts, self._limits, self.tasks.submit_unwatched, self.button)

    # Called by the bus; each returns at once with the promise of an answer.

    def prepare(self, name: str, xml: str, start: Start | None = None) -> "Future[None]":
        """Hand the devices over before the guest starts; done when they are with vfio-pci.

        ``start``: which tells why, if it is cancelled.
        """
        start = start or Start(name)
        return self.tasks.submit(self._prepare, start, xml, start=start)

    def give_up(self, prepared: "Future[None]") -> None:
        """Whoever waited for a prepare is gone: it is not carried out any more."""
        self.tasks.give_up(prepared)

    def started(self, name: str) -> "Future[None]":
        """The guest's QEMU runs: watch it."""
        return self.tasks.submit_unwatched(self.guest_watch.follow, name)

    def release(self, name: str, reason: str) -> None:
        """The guest has ended: journal the return and go about it. Never blocks.

        What is stuck stays so until what it is due to has ended, or a person has set it right.
        """
        self.tasks.give_up_starts(name, "libvirt gave its start up meanwhile")
        self._releasing.release(name, f"it ended ({reason})", self.host.now())

    def return_devices(self, *, force: bool = False) -> "Future[None]":
        """What a person asks for: the devices back now, if no guest has them.

        They are asked back from whom they are with now: a start that is under way is given up, and
        what is handed over later is left alone. ``force``: what is stuck may be reset once more,
        not only undone once more, a guest that libvirt is about to start is not waited for, and
        one that runs on without its devices does not keep them.
        """
        transaction_id: str | None = None
        with suppress(HostError):  # which the worker says
            record = self.journal.read()
            transaction_id = record.transaction if record else ""
            if record is not None and record.phase is Phase.HANDOFF:
                self.tasks.give_up_starts(record.guest, "its devices were asked back meanwhile")
        return self.tasks.submit(partial(self._return_devices, transaction_id, force=force))

    def force_off(self, name: str) -> "Future[None]":
        """End the guest's QEMU where libvirt does not; done when it is gone. See ForceOff.end()."""
        return self.tasks.submit(ForceOff(self.host, self.journal, self.report).end, name)

    def rehearse(self, name: str, xml: str, *, keep_desktop: bool) -> "Future[None]":
        """A handoff and a return without a guest in between."""
        start = Start(name, REHEARSED)
        task = partial(self._rehearse, start, xml, keep_desktop=keep_desktop)
        return self.tasks.submit(task, start=start)

    def recover(self) -> "Future[None]":
        """At start: finish, reverse or adopt what an earlier daemon left."""
        return self.tasks.submit_unwatched(self._resuming.resume)

    def warm_up(self) -> "Future[None]":
        """Do before any handoff what each would have to wait for."""
        return self.tasks.submit(self._warm_up)

    # Run by the worker, one at a time.

    def _prepare(self, start: Start, xml: str) -> None:
        with Trials(self.host, self.report).start_of(start.guest):
            self._hand_over(start, xml)

    def _hand_over(self, start: Start, xml: str) -> None:
        decided = self._decide(start, xml)
        if decided is None:
            return
        start.require_wanted()
        self.handoff.hand_over(decided[1], partial(require_wanted, start, self.host))
        # At once: whoever gives the start up from here on may not be there to release it.
        self.guest_watch.arm_start_timeout(decided[0].config.limits.guest)
        record = self.journal.read()
        notice_shutdown(start, self.host)
        if start.given_up and record is not None:
            self.handoff.return_devices(record.transaction, "its start was given up")
        start.require_wanted()

    def _returned(self, record: Record) -> None:
        Trials(self.host, self.report).end(record.guest)
        self._second_look.begin(record)

    def _rehearse(self, start: Start, xml: str, *, keep_desktop: bool) -> None:
        decided = self._decide(start, xml)
        if decided is None:
            hint = f"let vfiod propose its devices: sudo vfiod init {quote(start.guest)}"
            raise UnknownGuest(f"the configuration names no guest {start.guest!r}", hint)
        request, steps = decided
        steps = without_desktop(steps, request) if keep_desktop else steps
        start.require_wanted()
        self.handoff.hand_over(without_guest(steps), partial(require_wanted, start, self.host))
        record = self.journal.read()
        if record is not None:
            self.handoff.return_devices(record.transaction, "it was a rehearsal")

    def _decide(self, start: Start, xml: str) -> tuple[Request, Plan] | None:
        """The plan, and what it rests on; None if the guest is none of ours.

        Raises Refused and others, and tells of them.
        """
        name, is_start = start.guest, start.what == STARTED
        try:
            config = self.load_config()
            guest = config.guests.get(name)
            if guest is None:
                return None
            require_idle(self.journal, self.handoff, self.guest_watch, name, is_start=is_start)
            wanted = domain.parse(xml)
            state = snapshot.read(self.host, config, guest, wanted)
            request = Request(config, guest, wanted, state)
            return request, plan.plan_handoff(request)
        except VfiodError as error:
            kind = Kind.CONFIG_WRONG if isinstance(error, ConfigError) else Kind.REFUSED
            self._say(kind, not_done(f"{name} was not {start.what}", error), guest=name)
            raise

    def _return_devices(self, transaction_id: str | None, *, force: bool) -> None:
        """``transaction_id``: the handoff that is meant, None if that could not be read."""
        record = self.journal.read()
        if record is None:
            return
        if transaction_id not in (None, record.transaction):
            raise Busy(
                f"what was asked back is home, and {record.guest} is given the devices by now",
                "what it is at: vfiod status",
            )
        if who := self.guest_watch.who_has(record):
            is_without = has_let_go(self.host, record)
            if not (force and is_without):
                raise still_runs(record, who, is_without=is_without)
        if not force and record.phase is Phase.PREPARED and is_starting(self.host, record):
            raise Busy(
                f"{record.guest} is being started by libvirt",
                "if it does not run within a few minutes, its devices come back by themselves\n"
                "or have them taken back now: sudo vfiod return --force",
            )
        may_reset = force or record.phase is not Phase.STUCK
        why = "requested with `vfiod return`"
        self.handoff.return_devices(record.transaction, why, may_reset=may_reset, is_forced=force)

    def _warm_up(self) -> None:
        """vfio-pci takes no device by itself: to have it loaded is harmless."""
        with suppress(ConfigError, HostError):
            if self.load_config().guests and not self.host.modules.loaded(VFIO_MODULE):
                self.host.modules.load(VFIO_MODULE, seconds=self._limits().driver)

    def _limits(self) -> Limits:
        """How long things may take; a configuration that is broken by now is no hindrance."""
        try:
            return self.load_config().limits
        except ConfigError:
            return Limits()

    def _say(self, kind: Kind, text: str, *, guest: str) -> None:
        self.report(Event(kind, text, {"GUEST": guest}))
