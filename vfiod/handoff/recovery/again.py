"""Undoing what is left once more, after each thing that was tried: all of it but a login screen.

That was waited for already, for two minutes, and each try ends what may only be slow. It is tried
again with its own card alone.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from vfiod.errors import NotShown
from vfiod.handoff.journal import Entry
from vfiod.handoff.recovery.recover import Fault, Faults
from vfiod.handoff.steps.displaymanager import StopDisplayManager


@dataclass(slots=True)
class Undoing:
    """One return's. ``read`` gives the entries that are left, ``undo`` what of them fails."""

    read: Callable[[], Sequence[Entry]]
    undo: Callable[[Sequence[Entry]], Faults]
    faults: Faults = ()

    def __call__(self, touched: Collection[str] = ()) -> Faults:
        """What is left then. ``touched``: the devices that something was done to since."""
        entries = self.read()
        kept = [f for f in self.faults if f.entry in entries and _is_in_vain(f, touched)]
        known = [fault.entry for fault in kept]
        self.faults = [*self.undo([e for e in entries if e not in known]), *kept]
        return self.faults


def _is_in_vain(fault: Fault, touched: Collection[str]) -> bool:
    step = fault.entry.step
    if not isinstance(step, StopDisplayManager) or not isinstance(fault.error, NotShown):
        return False
    return not any(str(address) in touched for address in step.displays)
