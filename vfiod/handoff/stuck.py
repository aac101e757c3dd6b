"""The words for a return that got stuck: what is dark, why, what vfiod does, what to do. Pure."""

from collections.abc import Iterator, Sequence

from vfiod.errors import Awaited, CutOff, HostError, KernelStuck, Stuck, VfiodError
from vfiod.handoff.recovery import Fault, Faults, Tried, display_lost
from vfiod.handoff.steps.desktop import StopDisplayManager
from vfiod.handoff.steps.screen import AwaitDisplay

_RETURN = "have it tried again: sudo vfiod return"
_FORCE = "have it tried again, with all resets: sudo vfiod return --force"
_WAIT = "give it some minutes; whether it is over: vfiod status"
_REBOOT = "if nothing of that helps, reboot: sudo systemctl reboot"

_WAITS_FOR_NOBODY = "vfiod does not go on by itself"
_A_REBOOT = "a reboot brings all of it back: nothing that vfiod changes outlives one"


def describe(faults: Faults, tried: Tried) -> Stuck:
    """The error that tells of these faults, and of the remedies that were of no use."""
    awaits = [fault.error for fault in faults if isinstance(fault.error, Awaited | CutOff)]
    return Stuck(
        "\n".join(_facts(faults, tried, waits=bool(awaits))),
        "\n".join(f"{n}. {text}" for n, text in enumerate(_ways(faults, tried), 1)),
        display_lost=display_lost(faults),
        awaits=awaits,
    )


def broken_off(error: Exception) -> Stuck:
    """The error of a return that could not be gone through: nobody knows what of it is left."""
    told = error if isinstance(error, VfiodError) else HostError(repr(error))
    ways = [*told.hint.splitlines(), _RETURN, _REBOOT]
    return Stuck(
        f"giving the host its display and devices back was broken off: {told.message}\n"
        f"{_WAITS_FOR_NOBODY}\n{_A_REBOOT}",
        "\n".join(f"{n}. {text}" for n, text in enumerate(ways, 1)),
    )


def _facts(faults: Faults, tried: Tried, *, waits: bool) -> Iterator[str]:
    yield _what_is_dark([fault.entry.step for fault in faults])
    yield from dict.fromkeys(fault.text for fault in faults)
    if tried.in_vain:
        yield f"tried in vain: {', '.join(tried.in_vain)}"
    yield from _left_out(tried)
    if any(isinstance(fault.error, CutOff) for fault in faults):
        yield "vfiod ends with the system bus, is started anew with it, and goes on by itself then"
    elif waits:
        yield "vfiod waits for what is late, and goes on by itself as soon as it ends"
    else:
        yield _WAITS_FOR_NOBODY
    yield _A_REBOOT


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
        return f"there is no login screen: {', '.join(managers)} has not started again"
    return "the host has its display, but not all of its devices and settings"


def _ways(faults: Faults, tried: Tried) -> Iterator[str]:
    """What to do, the gentle first."""
    # Its start is tried again with the display that it waits for.
    causes = [f for f in faults if not (display_lost(faults) and _is_manager(f.entry.step))]
    left_out = [line for error in tried.left_out.values() for line in error.hint.splitlines()]
    yield from dict.fromkeys([*left_out, *(hint for fault in causes for hint in _hints(fault))])
    if any(isinstance(fault.error, Awaited | CutOff) for fault in faults):
        yield _WAIT
    yield _FORCE if tried.in_vain or tried.left_out else _RETURN
    yield _REBOOT


def _is_manager(step: object) -> bool:
    return isinstance(step, StopDisplayManager)


def _hints(fault: Fault) -> Sequence[str]:
    """What the error itself advises; nothing ends a kernel call but a reboot, the last of all."""
    if isinstance(fault.error, KernelStuck) or not isinstance(fault.error, VfiodError):
        return ()
    return fault.error.hint.splitlines()
