"""The words for a return that got stuck: what is dark, why, what vfiod does, what to do. Pure."""

from collections.abc import Iterator, Sequence

from vfiod.errors import (
    Awaited,
    CutOff,
    HostError,
    KernelStuck,
    NotThere,
    NotYet,
    Stuck,
    VfiodError,
)
from vfiod.handoff.recovery import greeting
from vfiod.handoff.recovery import outlook as outlooks
from vfiod.handoff.recovery.outlook import FORCE, RETURN, Outlook
from vfiod.handoff.recovery.recover import Fault, Faults, Tried, display_lost
from vfiod.handoff.steps.displaymanager import StopDisplayManager
from vfiod.handoff.steps.screen import AwaitDisplay

_REBOOT = "if nothing of that helps, reboot: sudo systemctl reboot"
_PLUG = "if {} is not there then either, power the PC off, and see that it is plugged in"

_NOTICED = "once a login screen is there, however it comes, vfiod sees it and this is over"
_OUTLIVES_NONE = "nothing that vfiod changes outlives one"
_A_REBOOT = f"a reboot brings all of it back: {_OUTLIVES_NONE}"
_THE_REST = f"a reboot brings the rest back: {_OUTLIVES_NONE}"


def of(faults: Faults) -> Stuck:
    """The error without words, for who foresees what becomes of it."""
    awaits = [fault.error for fault in faults if isinstance(fault.error, Awaited | CutOff)]
    return Stuck("", display_lost=display_lost(faults), awaits=awaits)


def describe(faults: Faults, tried: Tried, outlook: Outlook) -> Stuck:
    """The error that tells of these faults, and of the remedies that were of no use."""
    bare = of(faults)
    return Stuck(
        "\n".join(_facts(faults, tried, outlook)),
        _numbered(_ways(faults, tried, outlook)),
        display_lost=bare.display_lost,
        awaits=bare.awaits,
        watched=outlook.waits,
    )


def broken_off(error: Exception, outlook: Outlook) -> Stuck:
    """The error of a return that could not be gone through: nobody knows what of it is left."""
    told = error if isinstance(error, VfiodError) else HostError(repr(error))
    first = f"giving the host its display and devices back was broken off: {told.message}"
    hints = [*told.hint.splitlines(), *outlooks.ways(outlook, RETURN), _REBOOT]
    text = "\n".join([first, *outlooks.facts(outlook), _A_REBOOT])
    return Stuck(text, _numbered(hints), watched=outlook.waits)


def _numbered(ways: Iterator[str] | Sequence[str]) -> str:
    return "\n".join(f"{n}. {text}" for n, text in enumerate(ways, 1))


def _facts(faults: Faults, tried: Tried, outlook: Outlook) -> Iterator[str]:
    yield _what_is_dark([fault.entry.step for fault in faults])
    yield from dict.fromkeys(f.text for f in faults if not isinstance(f.error, NotYet))
    if tried.in_vain:
        yield f"tried in vain: {', '.join(tried.in_vain)}"
    yield from _left_out(tried)
    if of(faults).is_left_to_successor:
        yield outlooks.TO_A_SUCCESSOR
    elif greeting.awaited([fault.entry for fault in faults]) and not outlook.waits:
        yield _NOTICED
    else:
        yield from outlooks.facts(outlook)
    yield from _what_a_reboot_does(faults)


def _left_out(tried: Tried) -> Iterator[str]:
    """Each reason once."""
    for reason in dict.fromkeys(error.message for error in tried.left_out.values()):
        names = [name for name, error in tried.left_out.items() if error.message == reason]
        yield f"not tried: {', '.join(names)}: {reason}"


def _what_is_dark(steps: Sequence[object]) -> str:
    lost = [str(step.address) for step in steps if isinstance(step, AwaitDisplay)]
    displays = ", ".join(dict.fromkeys(lost))
    managers = [step.unit for step in steps if isinstance(step, StopDisplayManager)]
    if displays:
        return f"the screen of {displays} is dark: the host does not have it back"
    if managers:
        return f"there is no login screen: {', '.join(managers)} shows none"
    return "the host has its display, but not all of its devices and settings"


def _what_a_reboot_does(faults: Faults) -> Iterator[str]:
    """It undoes what vfiod did; what is gone, or fails by itself, may be so after it as well."""
    gone, units = _gone(faults), _failed(faults)
    rest = [f for f in _causes(faults) if not isinstance(f.error, NotThere)]
    if not (gone or units):
        yield _A_REBOOT
    elif [f for f in rest if not _is_manager(f.entry.step)]:
        yield _THE_REST
    if gone:
        yield f"a reboot alone may not bring back what is not there: {', '.join(gone)}"
    if units:
        yield f"a reboot starts {', '.join(units)} only if it was the handoff that kept it down"


def _gone(faults: Faults) -> Sequence[str]:
    """Devices that the host does not see any more."""
    found = (f.entry.step.device for f in faults if isinstance(f.error, NotThere))
    return list(dict.fromkeys(found))


def _failed(faults: Faults) -> Sequence[str]:
    """Display managers whose start has failed, though no display is lost."""
    steps = [f.entry.step for f in _causes(faults) if not isinstance(f.error, Awaited | CutOff)]
    return [step.unit for step in steps if isinstance(step, StopDisplayManager)]


def _causes(faults: Faults) -> Faults:
    """Without a display manager whose display is lost: it is started again with that."""
    return [f for f in faults if not (display_lost(faults) and _is_manager(f.entry.step))]


def _ways(faults: Faults, tried: Tried, outlook: Outlook) -> Iterator[str]:
    """What to do, the gentle first."""
    left_out = [line for error in tried.left_out.values() for line in error.hint.splitlines()]
    hints = [hint for fault in _causes(faults) for hint in _hints(fault)]
    yield from dict.fromkeys([*left_out, *hints])
    for unit in _failed(faults):
        yield f"why it does not start: sudo journalctl -b -u {unit}"
    # What was of no use twice is not of use by being asked for once more.
    may_help = bool(tried.left_out) or (bool(tried.in_vain) and not outlook.was_forced)
    yield from outlooks.ways(outlook, FORCE if may_help else RETURN)
    yield _REBOOT
    if gone := _gone(faults):
        yield _PLUG.format(", ".join(gone))


def _is_manager(step: object) -> bool:
    return isinstance(step, StopDisplayManager)


def _hints(fault: Fault) -> Sequence[str]:
    """What the error itself advises; nothing ends a kernel call but a reboot, the last of all."""
    if isinstance(fault.error, KernelStuck) or not isinstance(fault.error, VfiodError):
        return ()
    return fault.error.hint.splitlines()
