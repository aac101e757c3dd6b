"""Recovery: remedy after remedy, until every device is back or none is left to try.

What is late is given some more time first. Then a remedy is tried only for a device that is still
missing, that no guest holds, and that the kernel is not busy with. After each one the undos that
are still open are tried again, and they alone for a device that is back: it may serve the desktop
by then.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from vfiod.errors import HostError, VfiodError
from vfiod.events import Event, Kind, Report, timed
from vfiod.handoff.journal import Entry
from vfiod.handoff.recovery.forbidden import LeftOut, is_free, require_sound_away
from vfiod.handoff.recovery.patience import Patience
from vfiod.handoff.recovery.remedies import SECONDS, Missing, Remedy, disturbed_by, find_remedies
from vfiod.handoff.steps.base import Step
from vfiod.handoff.steps.devices import Detach, KeepAwake
from vfiod.handoff.steps.displaymanager import StopDisplayManager
from vfiod.handoff.steps.screen import AwaitDisplay
from vfiod.host.door import Host
from vfiod.model import VFIO_DRIVER, Direction, PciAddress


@dataclass(frozen=True, slots=True)
class Fault:
    """An entry whose undo failed, why, and the same in words for a person."""

    entry: Entry
    error: Exception
    text: str


Faults = Sequence[Fault]
# Undoes what is left; told of the devices that something was done to since.
Undo = Callable[[Collection[str]], Faults]
_SETTLED = 600.0  # seconds since boot


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of the remedies that did not help, by their names."""

    in_vain: list[str] = field(default_factory=list)
    left_out: dict[str, LeftOut] = field(default_factory=dict)


def recover(
    faults: Faults,
    undo: Undo,
    host: Host,
    report: Report,
    push: Callable[[Step], None],
    *,
    may_suspend: bool,
) -> tuple[Faults, Tried]:
    """Try each remedy that may help. Returns the faults that are left and what was tried.

    ``push`` journals, for ``undo``, what a remedy takes from devices that are home, and what
    was home and has stopped answering before the display manager could be started on it.
    """
    tried = Tried()
    patience, undo_again = Patience(host), partial(undo, ())
    faults = patience.settle(faults, undo_again)
    if lost := _lost_again(faults, host):
        for step in lost:
            push(step)
        faults = patience.settle(undo([step.device for step in lost]), undo_again)
    for remedy in find_remedies(host, _missing(faults), may_suspend=may_suspend):
        if is_shutting_down(host):
            break
        missing = next((m for m in _missing(faults) if str(m.address) == remedy.device), None)
        if missing is None or not _may_be_asked(host, missing.address):
            continue
        _keep_awake(host, missing.address, faults)
        is_back = _is_back(host, missing)
        if not is_back and not _try(remedy, missing, host, report, push, tried):
            continue
        faults = patience.settle(undo(() if is_back else [remedy.device]), undo_again)
    return faults, tried


def is_shutting_down(host: Host) -> bool:
    """True if no last resort is of use any more: nothing may come between the host and its end."""
    try:
        return host.units.shutting_down()
    except HostError:
        return False


def why_not_reboot(host: Host) -> str:
    """Why on_stuck: reboot does nothing; empty if it may reboot the host."""
    if is_shutting_down(host):
        return "the host is shutting down"
    return "the host has only just been booted" if host.now() < _SETTLED else ""


def display_lost(faults: Faults) -> bool:
    """True if a display is among what has not come back."""
    return any(isinstance(fault.entry.step, AwaitDisplay) for fault in faults)


def _lost_again(faults: Faults, host: Host) -> list[Step]:
    """Steps for the cards that a display manager was to be started on and that do not answer."""
    managers = [f.entry.step for f in faults if isinstance(f.entry.step, StopDisplayManager)]
    lost: list[Step] = []
    for address in {address for manager in managers for address in manager.displays}:
        if _is_deaf(host, address):
            lost.append(AwaitDisplay(address, SECONDS))
            card = [a for a in host.pci.functions() if a.same_slot(address)]
            deaf = [a for a in card if _is_deaf(host, a)]
            lost += [step for a in deaf for step in (Detach(a, SECONDS), KeepAwake(a))]
    there = {(fault.entry.step.kind, fault.entry.step.device) for fault in faults}
    return [step for step in lost if (step.kind, step.device) not in there]


def _is_deaf(host: Host, address: PciAddress) -> bool:
    """True if it is with a driver of the host and does not answer."""
    try:
        driver = host.pci.driver(address)
        return driver not in (None, VFIO_DRIVER) and host.pci.fault(address) is not None
    except HostError:
        return False


def _missing(faults: Faults) -> list[Missing]:
    """Devices that a remedy may wake."""
    found: dict[str, Missing] = {}
    for fault in faults:
        step, driver = fault.entry.step, fault.entry.prior.get("driver")
        if not isinstance(step, Detach | AwaitDisplay):
            continue
        if isinstance(driver, str) and driver != VFIO_DRIVER:
            is_display = isinstance(step, AwaitDisplay)
            found[step.device] = Missing(step.address, driver, is_display)
    return list(found.values())


def _may_be_asked(host: Host, address: PciAddress) -> bool:
    """False while a guest holds the function's group, or the kernel has not come back from it."""
    busy = {call.subject for call in host.late.calls()}
    return str(address) not in busy and is_free(host, address)


def _keep_awake(host: Host, address: PciAddress, faults: Faults) -> None:
    """What is kept powered until it is home may sleep all the same by now.

    A rescan makes a new device of it, and one that was home already had its settings back.
    """
    for step in (fault.entry.step for fault in faults):
        if isinstance(step, KeepAwake) and step.address == address:
            with suppress(HostError):
                step.apply(host)


def _is_back(host: Host, missing: Missing) -> bool:
    """True if it works with its driver, and only something about it is left to undo."""
    try:
        driver = host.pci.driver(missing.address)
        if driver is None or host.pci.fault(missing.address):
            return False
    except HostError:
        return False
    in_use = bool(host.processes.holders([missing.address]))
    return driver == missing.driver and (in_use or not missing.is_display)


def _try(
    remedy: Remedy,
    missing: Missing,
    host: Host,
    report: Report,
    push: Callable[[Step], None],
    tried: Tried,
) -> bool:
    """False if it was left out."""
    fields = {"STEP": "recovery", "DEVICE": remedy.device, "DIRECTION": Direction.RETURN.value}
    try:
        require_sound_away(host, missing.address, missing.driver)
        remedy.check(host)
    except LeftOut as error:
        tried.left_out[remedy.describe()] = error
        report(Event(Kind.REMEDY, f"left out: {remedy.describe()}: {error.message}", fields))
        return False
    except HostError as error:
        # One that cannot be looked at costs this remedy, and not the others.
        report(Event(Kind.STEP_FAILED, f"could not {remedy.describe()}: {error.message}", fields))
        return False
    tried.in_vain.append(remedy.describe())
    _apply(remedy, host, report, push, fields)
    return True


def _apply(
    remedy: Remedy,
    host: Host,
    report: Report,
    push: Callable[[Step], None],
    fields: Mapping[str, str],
) -> None:
    began = host.now()
    try:
        for step in disturbed_by(remedy, host):
            push(step)
        remedy.apply(host)
    except Exception as error:
        reason = error.message if isinstance(error, VfiodError) else repr(error)
        took = timed(began, host.now())
        report(Event(Kind.REMEDY, f"{remedy.describe()}: {reason}", {**fields, **took}))
    else:
        now = host.now()
        text = f"{remedy.describe()} ({now - began:.3f} s)"
        report(Event(Kind.REMEDY, text, {**fields, **timed(began, now)}))
