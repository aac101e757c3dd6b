"""What holds a device beside the desktop, or would begin it anew: stopped, then back. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from vfiod.handoff.accounts import is_manager
from vfiod.handoff.decision import containers, ending, staying
from vfiod.handoff.decision.request import Request
from vfiod.handoff.steps.base import Step
from vfiod.handoff.steps.containers import StopContainer
from vfiod.handoff.steps.desktop import StopUnit
from vfiod.handoff.steps.people import StopUserUnits

# Units of the boot only: nobody would end them after the return.
_BOOT_ONLY = ("plymouth",)


def steps(request: Request) -> Iterator[Step]:
    """Units that hold a device or would begin a session anew, stopped so that nothing does.

    Before what begins a desktop, the display manager or a getty, so that on the way back that opens
    the card before they do: the one of them that comes back first waits for it.
    """
    for unit in filter(_is_of_the_boot, ending.holding_units(request)):
        yield StopUnit(unit, restart=False, seconds=request.config.limits.desktop)
    displays = tuple(f.address for f in request.displays)
    stopped = [replace(step, displays=displays) for step in _stopped(request)]
    if stopped and _comes_first(request):
        stopped[-1] = replace(stopped[-1], after_displays=displays)
    yield from stopped
    for unit in ending.spawners(request):
        yield StopUnit(unit, restart=True, seconds=request.config.limits.desktop, displays=displays)


def _stopped(request: Request) -> Iterator[StopUnit | StopContainer | StopUserUnits]:
    """The first is the last to come back."""
    yield from staying.lending(request)
    spawners = ending.spawners(request)
    chosen = [unit for unit in request.config.stop if unit not in spawners]
    seconds = request.config.limits.desktop
    for unit in chosen:
        yield StopUnit(unit, restart=True, seconds=seconds)
    for container in containers.among(request.state.holders):
        yield StopContainer(container.engine, container.ident, seconds)
    for unit, uid in ending.holding_units(request).items():
        stays = is_manager(unit) and not begins_again(unit, uid, request)
        if not (stays or unit in chosen or unit in spawners or _is_of_the_boot(unit)):
            yield StopUnit(unit, restart=True, seconds=seconds)


def _comes_first(request: Request) -> bool:
    """Whether what begins the desktop opens the card: a text greeter never does.

    Nobody knows where somebody has logged in; it may be one that does, then.
    """
    begins = request.state.display_manager.active or bool(ending.spawners(request))
    starts = begins and request.ends_desktop and not request.state.lit
    return starts and any(ending.may_show_a_desktop(h, request) for h in request.state.holders)


def begins_again(unit: str, uid: int, request: Request) -> bool:
    """A user's manager that stays, and is stopped meanwhile: nothing less makes it let go."""
    stays = request.ends_desktop and ending.outlives(request, uid)
    return is_manager(unit) and stays and staying.letting_go(request, uid) is None


def _is_of_the_boot(unit: str) -> bool:
    return unit.startswith(_BOOT_ONLY)
