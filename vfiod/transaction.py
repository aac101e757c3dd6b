"""The only loop over steps: forward with run(), backward with roll_back().

Return after the guest, recovery after a crash and the undoing of a failed start are all
roll_back() over the journal.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress

from vfiod.errors import HostError, Stuck, VfiodError
from vfiod.events import Event, Kind, Report
from vfiod.host import Host
from vfiod.journal import Entry, Journal
from vfiod.model import Direction
from vfiod.steps.base import Notes, Step


def run(steps: Iterable[Step], host: Host, journal: Journal, report: Report) -> None:
    """Take the steps in order; at the first that fails, put back what was done and raise.

    Raises the step's own error, or Stuck if not everything could be put back.
    """
    try:
        for step in steps:
            _apply(step, host, journal, report)
    except BaseException as error:
        _put_back(error, host, journal, report)
        raise


def roll_back(host: Host, journal: Journal, report: Report) -> None:
    """Undo every entry of the journal, newest first.

    An entry whose undo fails stays in the journal and the older ones are still tried: as much
    of the host comes back as can. Raises Stuck, naming every fault, if any is left.
    """
    record = journal.read()
    faults = []
    for entry in reversed(record.entries if record else ()):
        try:
            _undo(entry, host, report)
        except Exception as error:
            faults.append(_failed(entry.step, error, Direction.RETURN, report))
        else:
            # A full /run must not stop the way home: undoing an entry twice does no harm.
            with suppress(HostError):
                journal.remove(entry)
    if faults:
        raise Stuck("; ".join(faults), "after setting it right, run: vfiod return")


def _put_back(error: BaseException, host: Host, journal: Journal, report: Report) -> None:
    """Undo after a failure; what then gets stuck must not hide what failed first."""
    try:
        roll_back(host, journal, report)
    except Stuck as stuck:
        reason = error.message if isinstance(error, VfiodError) else repr(error)
        raise Stuck(f"{reason}; then: {stuck.message}", stuck.hint) from error


def _apply(step: Step, host: Host, journal: Journal, report: Report) -> None:
    began = host.now()
    journal.push(Entry(step, step.observe(host)))
    try:
        notes = step.apply(host)
    except Exception as error:
        _failed(step, error, Direction.HANDOFF, report)
        raise
    _done(step, notes, host.now() - began, Direction.HANDOFF, report)


def _undo(entry: Entry, host: Host, report: Report) -> None:
    began = host.now()
    notes = entry.step.undo(host, entry.prior)
    _done(entry.step, notes, host.now() - began, Direction.RETURN, report)


def _done(step: Step, notes: Notes, seconds: float, way: Direction, report: Report) -> None:
    fields = _fields(step, way)
    for note in notes:
        report(Event(Kind.REMARK, note, fields))
    if text := _describe(step, way):
        timed = {**fields, "DURATION_USEC": str(round(seconds * 1e6))}
        report(Event(Kind.STEP_DONE, f"{text} ({seconds:.3f} s)", timed))


def _failed(step: Step, error: Exception, way: Direction, report: Report) -> str:
    reason = str(error) if isinstance(error, VfiodError) else repr(error)
    text = f"could not {_describe(step, way)}: {reason}"
    report(Event(Kind.STEP_FAILED, text, _fields(step, way)))
    return text


def _describe(step: Step, way: Direction) -> str:
    return step.describe() if way is Direction.HANDOFF else step.describe_undo()


def _fields(step: Step, way: Direction) -> Mapping[str, str]:
    return {"STEP": step.kind, "DEVICE": step.device, "DIRECTION": way.value}
