"""The only loop over steps: forward with run(), backward with roll_back().

The return after a guest, the recovery after a crash and the undoing of a start that failed are all
roll_back() over the journal: the way that is needed rarely is the one that is gone every day.

It has no state of its own, knows no queue and no guest, and is called by one thread at a time;
within a stage it takes groups of steps side by side. run() ends with everything done, or with
everything put back and the step's own error. roll_back() tries every entry, whatever became of
those before; devices that do not come back are then recovered, one remedy after the other. What is
left at the end stays in the journal and is raised as Stuck, with every fault in it; a setting that
the host refuses is tried once more, and if nothing else is left, told and done with.

A journal that is removed, damaged or unreadable in the middle is no end of it: who began the
handoff, or has read the journal, knows what was in it, and that is undone then.

What must never happen: a step applied before its entry is on disk; an undo left out because
another one failed, or because the journal could not be read; a failure while undoing that hides
what failed first; an end of roll_back() other than all undone, or Stuck.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from vfiod.errors import Busy, HostError, NotYet, Refused, Stuck, VfiodError
from vfiod.events import Event, Kind, Report, timed
from vfiod.handoff.journal import ALONE, Entry, Journal, Record
from vfiod.handoff.recovery import settings, stuck
from vfiod.handoff.recovery.again import Undoing
from vfiod.handoff.recovery.outlook import Foresee, unforeseen
from vfiod.handoff.recovery.recover import Fault, Faults, Tried, is_shutting_down, recover
from vfiod.handoff.stages import stages, stages_back
from vfiod.handoff.steps.base import AskingStep, Notes, Step
from vfiod.host.door import Host
from vfiod.host.goodbye import GoOn
from vfiod.model import Direction

Fields = Mapping[str, str]


def run(
    steps: Iterable[Step],
    host: Host,
    journal: Journal,
    report: Report,
    go_on: Callable[[], None] = lambda: None,
    foresee: Foresee = unforeseen,
) -> Record:
    """Take the steps in order; when one fails, put back what was done and raise.

    ``go_on`` is called before each step and while one waits for people, and raises what ends it
    there. ``foresee``: see roll_back(). Returns what the journal holds then. Raises that, the
    step's own error, or Stuck if not everything could be put back.
    """
    begun: list[Entry] = []
    record = journal.read()
    if record is None:
        raise journal.gone()

    def push(entry: Entry) -> None:
        begun.append(entry)
        journal.push(entry)

    def apply_all(stage: int, group: Sequence[Step]) -> None:
        for step in group:
            go_on()
            _apply(step, stage, host, push, report, go_on)

    try:
        for number, stage in enumerate(stages(steps)):
            host.run_parallel([partial(apply_all, number, group) for group in stage])
    except BaseException as error:
        _put_back(error, replace(record, entries=tuple(begun)), host, journal, report, foresee)
        raise
    return replace(record, entries=tuple(begun))


def roll_back(
    host: Host,
    journal: Journal,
    report: Report,
    known: Record | None = None,
    *,
    may_reset: bool = True,
    foresee: Foresee = unforeseen,
) -> None:
    """Undo every entry of the journal, newest first, and wake devices that do not come back.

    An entry whose undo fails stays in the journal and the older ones are still tried: as much
    of the host comes back as can. ``known`` is what the journal should hold, for one that is gone
    or cannot be read. ``may_reset``: whether devices may be reset for it, which none is while the
    host shuts down. ``foresee`` watches what got stuck, for the words. Raises Stuck, naming
    every fault, if any is left, and nothing else.
    """
    try:
        faults, tried = _bring_back(host, journal, report, known, may_reset=may_reset)
    except Exception as error:
        raise stuck.broken_off(error, foresee(Stuck(""))) from error
    if faults:
        raise stuck.describe(faults, tried, foresee(stuck.of(faults)))


def _bring_back(
    host: Host, journal: Journal, report: Report, known: Record | None, *, may_reset: bool
) -> tuple[Faults, Tried]:
    undo = partial(_undo_all, host=host, journal=journal, report=report)
    undo_all = Undoing(partial(_read, journal, known), undo)

    def push(step: Step) -> None:
        journal.push(Entry(step, step.observe(host), ALONE))

    # Whatever comes back must be able to open the card.
    host.gate.open()
    _mend(journal, known)
    faults, tried = undo_all(), Tried()
    if may_reset and faults and not is_shutting_down(host):
        try:
            faults, tried = recover(
                faults, undo_all, host, report, push, may_suspend=_may_suspend(journal)
            )
        except Exception as error:
            # Broken off, it must end as any other: with what is left, said and watched.
            text = f"the recovery was broken off: {_reason(error)}"
            report(Event(Kind.STEP_FAILED, text, {"DIRECTION": Direction.RETURN.value}))
            faults = undo_all()
    if settings.are_all(faults):
        faults = settings.leave(undo_all(), journal, report)
    return faults, tried


def _mend(journal: Journal, known: Record | None) -> None:
    """A journal that is gone or damaged is written anew: what then gets stuck must be in it."""
    is_there = False
    with suppress(HostError):
        is_there = journal.read() is not None
    if known is not None and not is_there:
        with suppress(HostError):
            journal.begin(known)


def _read(journal: Journal, known: Record | None) -> Sequence[Entry]:
    """What is to be undone. Undoing more than is left does no harm."""
    try:
        record = journal.read() or known
    except HostError:
        if known is None:
            raise
        record = known
    return record.entries if record else ()


def _may_suspend(journal: Journal) -> bool:
    record = journal.read()
    return record is not None and record.may_suspend


def _put_back(
    error: BaseException,
    known: Record,
    host: Host,
    journal: Journal,
    report: Report,
    foresee: Foresee,
) -> None:
    """Undo after a failure; what then gets stuck must not hide what failed first."""
    try:
        roll_back(host, journal, report, known, foresee=foresee)
    except Stuck as left:
        left.message = f"{_reason(error)}\n{left.message}"
        raise left from error


def _undo_all(entries: Sequence[Entry], host: Host, journal: Journal, report: Report) -> Faults:
    """Undo them, newest first; what failed."""
    faults: list[Fault] = []

    def undo_all(group: Sequence[Entry]) -> None:
        for entry in group:
            began = host.now()
            try:
                notes = entry.step.undo(host, entry.prior)
            except Exception as error:
                took = timed(began, host.now())
                text = _failed(entry.step, error, took, Direction.RETURN, report)
                faults.append(Fault(entry, error, text))
            else:
                _done(entry.step, notes, timed(began, host.now()), Direction.RETURN, report)
                # A full /run must not stop the way home: undoing an entry twice does no harm.
                with suppress(HostError):
                    journal.remove(entry)

    for stage in stages_back(entries):
        host.run_parallel([partial(undo_all, group) for group in stage])
    return faults


def _apply(
    step: Step,
    stage: int,
    host: Host,
    push: Callable[[Entry], None],
    report: Report,
    go_on: GoOn,
) -> None:
    began = host.now()
    if step.describe_undo():
        push(Entry(step, step.observe(host), stage))
    try:
        notes = step.ask(host, go_on) if isinstance(step, AskingStep) else step.apply(host)
    except (Refused, Busy) as refused:
        # Somebody's answer, or nobody wants it any more: no failure; with the time that it took.
        fields = {**_fields(step, Direction.HANDOFF), **timed(began, host.now())}
        report(Event(Kind.REMARK, f"{step.describe()}: {refused.message}", fields))
        raise
    except Exception as error:
        _failed(step, error, timed(began, host.now()), Direction.HANDOFF, report)
        raise
    _done(step, notes, timed(began, host.now()), Direction.HANDOFF, report)


def _done(step: Step, notes: Notes, took: Fields, way: Direction, report: Report) -> None:
    fields = _fields(step, way)
    for note in notes:
        report(Event(Kind.REMARK, note, fields))
    if text := _describe(step, way):
        seconds = int(took["DURATION_USEC"]) / 1e6
        report(Event(Kind.STEP_DONE, f"{text} ({seconds:.3f} s)", {**fields, **took}))


def _failed(step: Step, error: Exception, took: Fields, way: Direction, report: Report) -> str:
    """Tell of it; gives what happened. On the way back the end says what to do, once for all."""
    text = f"could not {_describe(step, way)}: {_reason(error)}"
    if isinstance(error, NotYet):
        return text
    told = VfiodError(text)
    if way is Direction.HANDOFF and isinstance(error, VfiodError):
        told = VfiodError(text, error.hint)
    report(Event(Kind.STEP_FAILED, str(told), {**_fields(step, way), **took}))
    return text


def _reason(error: BaseException) -> str:
    return error.message if isinstance(error, VfiodError) else repr(error)


def _describe(step: Step, way: Direction) -> str:
    return step.describe() if way is Direction.HANDOFF else step.describe_undo()


def _fields(step: Step, way: Direction) -> Fields:
    return {"STEP": step.kind, "DEVICE": step.device, "DIRECTION": way.value}
