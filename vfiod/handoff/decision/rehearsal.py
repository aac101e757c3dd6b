"""What a rehearsal leaves out of a plan: the guest, and if wished what ends the desktop. Pure."""

from dataclasses import replace
from typing import Final

from vfiod.handoff.decision import performance
from vfiod.handoff.decision.plan import Plan
from vfiod.handoff.decision.request import Request
from vfiod.handoff.steps.base import Step
from vfiod.handoff.steps.devices import Detach, KeepAwake
from vfiod.handoff.steps.libvirt import AwaitLibvirt
from vfiod.handoff.steps.support import Inhibit, LoadModule, StageRom
from vfiod.model import PciAddress

HARMLESS: Final = (Inhibit, LoadModule, StageRom, *performance.KINDS)


def without_guest(plan: Plan) -> Plan:
    """The plan without a guest of libvirt's behind it.

    The guest may run meanwhile without the devices, as before it was given them: its end is
    nothing that the return waits for, and it is not taken for one that has them.
    """
    steps = (replace(s, uuid="") if isinstance(s, AwaitLibvirt) else s for s in plan.steps)
    return replace(plan, uuid="", steps=tuple(steps))


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
