"""One handoff and its return: the steps, the journal's phases, and what is told about them."""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from vfiod.config.schema import Limits
from vfiod.errors import Busy, HostError, Refused, Stuck, VfiodError
from vfiod.events import Event, Kind, Report, began_at, timed
from vfiod.handoff import transaction
from vfiod.handoff.decision.plan import Plan
from vfiod.handoff.journal import Entry, Journal, Record
from vfiod.handoff.recovery import aftercare, greeting
from vfiod.handoff.recovery.outlook import Outlook
from vfiod.handoff.recovery.recover import why_not_reboot
from vfiod.handoff.steps.desktop import ReleaseHolders
from vfiod.handoff.steps.displaymanager import StopDisplayManager
from vfiod.host.door import Host
from vfiod.model import Direction, PciAddress, Phase

_BACK = "the host has its display back"
_ON_THE_WAY_OUT = {"DIRECTION": Direction.HANDOFF.value}


@dataclass(frozen=True, slots=True)
class Handoff:
    """Moves devices out and home. Runs in the worker; knows no queue and no libvirt.

    ``returned`` is told of each handoff whose devices are home again, before its journal goes, and
    of one whose return got stuck: what of it is home is to be looked after all the same.
    ``watch`` is told of what got stuck, and says what becomes of that by itself. ``limits`` are
    for what no journal tells of.
    """

    host: Host
    journal: Journal
    report: Report
    returned: Callable[[Record], None]
    watch: Callable[[Record, Stuck], Outlook]
    limits: Callable[[], Limits]

    def hand_over(self, decided: Plan, go_on: Callable[[], None] = lambda: None) -> None:
        """Move the devices to vfio-pci, or put everything back and raise.

        ``go_on``: see transaction.run(); people who are asked may outlast who wanted the start.
        Raises Refused if somebody who was asked said no, what ``go_on`` raised, HostError with what
        failed, or Stuck if not everything could be put back.
        """
        record, report = self._begin(decided)
        try:
            self._take_steps(record, decided, report, go_on)
        except Stuck as stuck:
            self._stuck(record, stuck)
            raise
        except Exception as error:
            with suppress(HostError):  # which the next start sets right
                self.journal.clear()
            if isinstance(error, Refused):
                text = not_done(f"{record.guest} was not started", error)
                report(Event(Kind.REFUSED, text, timed(record.since, self.host.now())))
                raise
            what = error.message if isinstance(error, Busy) else f"{record.guest} was not started"
            self._say_returned(report, f"{what}; {_BACK}", record)
            raise _not_started(record.guest, error) from error
        now = self.host.now()
        text, took = f"{record.guest} may start: it has {list_devices(record)}", now - record.since
        report(Event(Kind.HANDOFF_COMPLETE, f"{text} ({took:.3f} s)", timed(record.since, now)))

    def _begin(self, decided: Plan) -> tuple[Record, Report]:
        """Journal the handoff before its first step, and tell whose work ends."""
        record = Record(
            transaction=uuid.uuid4().hex,
            guest=decided.guest,
            uuid=decided.uuid,
            devices=decided.devices,
            groups=decided.groups,
            phase=Phase.HANDOFF,
            since=self.host.now(),
            may_suspend=decided.may_suspend,
            may_reboot=decided.may_reboot,
        )
        self.journal.begin(record)
        report = self._reporter(record)
        text = f"handing {list_devices(record)} to {record.guest}"
        report(Event(Kind.HANDOFF_BEGUN, text, began_at(record.since)))
        for person in decided.ends:
            report(Event(Kind.REMARK, f"the work of {person} ends", _ON_THE_WAY_OUT))
        for remark in decided.remarks:
            report(Event(Kind.REMARK, remark, _ON_THE_WAY_OUT))
        return record, report

    def return_devices(
        self, transaction_id: str, why: str, *, may_reset: bool = True, is_forced: bool = False
    ) -> None:
        """Give everything back, if this handoff is still the one under way. Raises Stuck.

        ``may_reset``: devices that do not come back may be reset; ``is_forced``: as one insists.
        """
        record = self.journal.read()
        if record is None or record.transaction != transaction_id:
            return
        began, is_first = self.host.now(), not record.returning
        home = record.returning or aftercare.entries_to_keep(record)
        begin = partial(replace, phase=Phase.RETURN, since=began, faults=(), returning=home)
        with suppress(HostError):
            self.journal.update(begin)
        report = self._reporter(record)
        text = f"taking {list_devices(record)} back from {record.guest}: {why}"
        report(Event(Kind.RETURN_BEGUN, text, began_at(began)))
        if is_first:
            greeting.end_without_a_card(self.host, home, report)
        self._bring_home(begin(record), report, may_reset=may_reset, is_forced=is_forced)
        try:
            self.journal.clear()
        finally:
            self._say_returned(report, f"{_BACK} from {record.guest}", record, began)

    def _bring_home(
        self, record: Record, report: Report, *, may_reset: bool = True, is_forced: bool = False
    ) -> None:
        """Undo what the journal holds, and have what is home looked after. Raises Stuck."""
        home, parts = record.returning, (self.host, self.journal, report, record)
        foresee = partial(self._foresee, record, is_forced=is_forced)
        try:
            transaction.roll_back(*parts, may_reset=may_reset, foresee=foresee)
        except Stuck as stuck:
            self._stuck(record, stuck)
            self.returned(replace(record, phase=Phase.STUCK, entries=home))
            raise
        self.returned(replace(record, phase=Phase.RETURN, entries=home))

    def revive(self, record: Record, dead: Mapping[PciAddress, str]) -> None:
        """Give back once more what stopped answering after it had come home. Raises Stuck.

        Arguments: ``record`` is the handoff's as it was when the return began; ``dead`` says what
        is wrong with which function. What a return left that is stuck is tried again with them.
        """
        entries = aftercare.entries_to_revive(record, dead)
        begun = replace(record, phase=Phase.RETURN, faults=(), returning=record.entries)
        stuck = self.journal.read()
        left = stuck.entries if stuck else ()
        more = tuple(entry for entry in entries if entry not in left)
        self.journal.begin(replace(begun, entries=(*left, *more)))
        report = self._reporter(record)
        faults = "; ".join(f"{address}: {fault}" for address, fault in dead.items())
        text = f"no answer any more from {faults}. Taking that back once more"
        report(Event(Kind.STEP_FAILED, text))
        self._end_users(entries, dead, report)
        self.return_devices(record.transaction, "they stopped answering")

    def _end_users(
        self, entries: Sequence[Entry], dead: Collection[PciAddress], report: Report
    ) -> None:
        """Nobody may use a card that is reset; one who does not let go is told of there."""
        for entry in entries:
            if aftercare.ends_users(entry.step):
                with suppress(HostError):
                    entry.step.apply(self.host)
        limits = self.limits()
        gate = ReleaseHolders(tuple(dead), limits.holders, limits.kill)
        with suppress(HostError):
            for note in gate.apply(self.host):
                report(Event(Kind.REMARK, note))

    def renew_desktop(self, record: Record, step: StopDisplayManager, why: str) -> None:
        """Start the display manager anew, once, and see that something comes of it. Raises Stuck.

        Arguments: ``record`` as for revive(); what is stuck is tried again with it. ``why``: what
        is wrong. Some cards light their screens only for that.
        """
        home = greeting.checked(record).entries
        stuck = self.journal.read()
        left = stuck.entries if stuck else ()
        entries = (*left, *(entry for entry in home if entry.step == step))
        begun = replace(record, phase=Phase.RETURN, since=self.host.now(), faults=())
        begun = replace(begun, entries=entries, returning=home)
        with suppress(HostError):  # a full /run is no reason to stay dark
            self.journal.begin(begun)
        report = self._reporter(record)
        report(Event(Kind.REMARK, f"{why}: starting {step.unit} anew"))
        step.end(self.host)
        self._bring_home(begun, report, may_reset=not left)  # what helps was tried for these
        try:
            self.journal.clear()
        finally:
            if left:
                self._say_returned(report, f"{_BACK} from {record.guest}", begun)

    def _take_steps(
        self, record: Record, decided: Plan, report: Report, go_on: Callable[[], None]
    ) -> None:
        """All steps and the word that they are done, or none of it."""
        parts, foresee = (self.host, self.journal, report), partial(self._foresee, record)
        known = transaction.run(decided.steps, *parts, go_on, foresee)
        try:
            self.advance(Phase.PREPARED)
        except HostError:
            transaction.roll_back(*parts, known, foresee=foresee)
            raise

    def advance(self, phase: Phase, *, seen: bool = False) -> None:
        """Write down how far the handoff has come, and if QEMU was ``seen`` to have the devices.

        Raises HostError also without a journal.
        """
        to = partial(replace, phase=phase, since=self.host.now())
        if self.journal.update(lambda r: to(r, seen=r.seen or seen)) is None:
            raise self.journal.gone()

    def _stuck(self, record: Record, stuck: Stuck) -> None:
        with suppress(HostError):
            self.journal.update(lambda r: r.got_stuck(stuck))
        self._reporter(record)(Event(Kind.STUCK, str(stuck)))
        if record.may_reboot and stuck.display_lost and not stuck.watched:
            self.reboot(record)

    def _foresee(self, record: Record, stuck: Stuck, *, is_forced: bool = False) -> Outlook:
        """What becomes of what got stuck, and is watched from now on."""
        with suppress(Exception):  # whatever it is, what is stuck must be told
            return replace(self.watch(record, stuck), was_forced=is_forced)
        return Outlook(was_forced=is_forced)

    def reboot(self, record: Record) -> None:
        """The last resort, once: a guest that starts at boot must not make a circle of it."""
        report = self._reporter(record)
        if why := why_not_reboot(self.host):
            report(Event(Kind.REMARK, f"not rebooting (on_stuck: reboot): {why}"))
            return
        report(Event(Kind.REMARK, "rebooting the host, as on_stuck: reboot says"))
        self.host.power.reboot()

    def _say_returned(
        self, report: Report, text: str, record: Record, began: float | None = None
    ) -> None:
        began, now = record.since if began is None else began, self.host.now()
        text = f"{text} ({now - began:.3f} s)"
        report(Event(Kind.RETURN_COMPLETE, text, timed(began, now)))

    def _reporter(self, record: Record) -> Report:
        """Adds whose handoff it is to every event."""
        common = {"GUEST": record.guest, "TRANSACTION": record.transaction}
        return lambda event: self.report(replace(event, fields={**common, **event.fields}))


def list_devices(record: Record) -> str:
    """The devices of a handoff, for a person."""
    return ", ".join(map(str, record.devices))


def not_done(what: str, error: VfiodError) -> str:
    """One reason on the same line, several below it."""
    return f"{what}: {error}" if len(error.parts) == 1 else f"{what}:\n{error}"


def _not_started(guest: str, error: Exception) -> VfiodError:
    """The error that virsh shows: what failed, and that nothing was lost."""
    if isinstance(error, Busy):
        return error
    reason = error if isinstance(error, VfiodError) else HostError(repr(error))
    return HostError(f"{guest} was not started: {reason.message}", reason.hint or _BACK)
