"""Settings that the host refuses to take back: told and done with, once nothing else is left.

A governor that the driver does not know any more, a copy of a ROM on a file system that has become
read-only: no display, device or desktop hangs on one. A state stuck for it would refuse every
start until the next boot, which puts it right as well.
"""

from contextlib import suppress

from vfiod.errors import Awaited, CutOff, HostError
from vfiod.events import Event, Kind, Report
from vfiod.handoff.journal import Journal
from vfiod.handoff.recovery.recover import Fault, Faults
from vfiod.model import Direction


def are_all(faults: Faults) -> bool:
    """True if something is left, and nothing but settings that are not just late."""
    return bool(faults) and all(map(_is_one, faults))


def leave(faults: Faults, journal: Journal, report: Report) -> Faults:
    """Tell of each what to type, and strike it out. What is left if they are not all of that kind.

    A device that is not back keeps its settings in the journal: they are tried again with it.
    """
    if not are_all(faults):
        return faults
    for fault in faults:
        step = fault.entry.step
        text = f"{fault.text}; when that is set right: {step.by_hand(fault.entry.prior)}"
        fields = {"STEP": step.kind, "DEVICE": step.device, "DIRECTION": Direction.RETURN.value}
        report(Event(Kind.REMARK, text, fields))
        # A full /run must not stop the way home.
        with suppress(HostError):
            journal.remove(fault.entry)
    return ()


def _is_one(fault: Fault) -> bool:
    error = fault.error
    may_end = isinstance(error, Awaited | CutOff) or (
        isinstance(error, HostError) and error.may_pass
    )
    return not may_end and bool(fault.entry.step.by_hand(fault.entry.prior))
