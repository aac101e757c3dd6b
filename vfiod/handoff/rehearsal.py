"""A rehearsal that leaves the desktop alone: the steps of a plan that do not end it. Pure."""

from dataclasses import replace
from typing import Final

from vfiod.handoff import performance
from vfiod.handoff.plan import Plan
from vfiod.handoff.request import Request
from vfiod.handoff.steps.base import Step
from vfiod.handoff.steps.devices import Detach, KeepAwake
from vfiod.handoff.steps.support import Inhibit, LoadModule, StageRom
from vfiod.model import PciAddress

HARMLESS: Final = (Inhibit, LoadModule, StageRom, *performance.KINDS)


def without_desktop(plan: Plan, request: Request) -> Plan:
    """The plan less what ends the desktop or takes a device that somebody uses now."""
    spared = _in_use(request)
    return replace(plan, steps=tuple(s for s in plan.steps if _may_be_taken(s, spared)))


def _may_be_taken(step: Step, spared: frozenset[PciAddress]) -> bool:
    if isinstance(step, Detach | KeepAwake):
        return step.address not in spared
    return isinstance(step, HARMLESS)


def _in_use(request: Request) -> frozenset[PciAddress]:
    """Displays, and while any device is held all others too: which one it is is not known."""
    displays = {f.address for f in request.displays}
    others = {f.address for f in request.leaving} if request.state.holders else set()
    return frozenset(displays | others)
