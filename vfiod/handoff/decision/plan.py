"""The decision: what a start of this guest would do now, or why it is refused. Pure."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vfiod.config.schema import OnStuck
from vfiod.errors import Refused
from vfiod.handoff.decision import (
    bystanders,
    ending,
    goodbye,
    keys,
    loginscreen,
    performance,
    rules,
    staying,
)
from vfiod.handoff.decision.checks import find_faults
from vfiod.handoff.decision.hoststate import NVIDIA_MODULES, VFIO_MODULE
from vfiod.handoff.decision.request import Request
from vfiod.handoff.steps import nvidia
from vfiod.handoff.steps.base import Step
from vfiod.handoff.steps.desktop import ReleaseHolders, StartAgain, StopUnit
from vfiod.handoff.steps.devices import AimOverride, Detach, KeepAwake
from vfiod.handoff.steps.displaymanager import StopDisplayManager
from vfiod.handoff.steps.gate import CloseGate, OpenGate, SpareGuests
from vfiod.handoff.steps.libvirt import AwaitLibvirt
from vfiod.handoff.steps.people import EndSessions
from vfiod.handoff.steps.screen import (
    CONSOLE_SECONDS,
    AwaitDisplay,
    ReleaseConsoles,
    UnbindFramebuffer,
)
from vfiod.handoff.steps.support import Inhibit, LoadModule, StageRom, UnloadModule
from vfiod.model import PciAddress, PciFunction


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of a handoff, in order, and what they are about.

    ``remarks`` tell of configured things that this host does not know, ``ends`` of the people
    whose work ends and of their programs, ``stays`` of those whose services go on meanwhile.
    """

    guest: str
    uuid: str
    devices: tuple[PciAddress, ...]
    groups: tuple[int, ...]
    steps: tuple[Step, ...]
    may_suspend: bool = False
    may_reboot: bool = False
    remarks: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()


def plan_handoff(request: Request) -> Plan:
    """Decide. Raises Refused with every reason; nothing was touched then."""
    if faults := find_faults(request):
        raise Refused(faults)
    listed = request.listed
    return Plan(
        guest=request.guest.name,
        uuid=request.domain.uuid,
        devices=tuple(f.address for f in listed),
        groups=tuple(sorted({f.group for f in listed if f.group is not None})),
        steps=tuple(_steps(request)),
        may_suspend=request.config.suspend_to_reset,
        may_reboot=request.config.on_stuck is OnStuck.REBOOT,
        remarks=tuple(_remarks(request)),
        ends=tuple(map(str, ending.people(request))),
        stays=tuple(staying.users(request)),
    )


def _remarks(request: Request) -> Iterator[str]:
    yield from performance.find_remarks(request.performance)
    yield from keys.find_remarks(request)
    if request.ends_desktop and request.state.lit:
        cards = ", ".join(map(str, sorted(request.state.lit)))
        yield (
            "keeping the desktop, although another card has a screen: a part of it has the guest's "
            f"card open. It ends, and a login is there anew at once on {cards}"
        )
    if not request.state.can_close_gate and any(f.driver for f in request.leaving):
        yield (
            "keeping the devices from being opened again (this kernel has no BPF for control "
            "groups): who holds them is looked for once more before each unbind instead"
        )


def _steps(request: Request) -> Iterator[Step]:
    """What can fail harmlessly comes before the desktop ends; what darkens the screen last."""
    yield Inhibit(request.guest.name)
    yield from performance.early_steps(request.performance)
    if request.leaving:
        yield LoadModule(VFIO_MODULE, request.config.limits.driver)
    yield from _roms(request)
    yield from staying.remembering(request)
    yield from (KeepAwake(f.address) for f in _in_order(request.leaving))
    # Before a controller goes: a keyboard may hang on it, and somebody has a question to answer.
    yield from goodbye.steps(request)
    beside = [f for f in request.leaving if _goes_beside_the_desktop(f, request)]
    yield from _detach(request, beside)
    others = [f for f in request.leaving if f not in beside]
    held = tuple(f.address for f in others if f.driver is not None)
    if held and request.state.can_close_gate:
        yield CloseGate(held)
    if held and goodbye.asked(request):
        yield SpareGuests(held)
    if request.ends_desktop:
        yield from _desktop(request)
    yield from _holders(request, others)
    if request.displays:
        yield from _picture(request)
    yield from _modules(request)
    yield from _detach(request, others)
    if held and request.state.can_close_gate:
        yield OpenGate()
    if request.leaving:
        yield AwaitLibvirt(request.domain.uuid, request.config.limits.libvirt)
    yield from _users(request)
    yield from performance.late_steps(request.performance)


def _roms(request: Request) -> Iterator[Step]:
    wanted = {h.address: h.rom_file for h in request.domain.hostdevs}
    for address, file in request.state.roms.items():
        if wanted.get(address) == file.staged:
            digest = hashlib.sha256(file.data).hexdigest()
            yield StageRom(address, file.path, digest)


def _desktop(request: Request) -> Iterator[Step]:
    limits, manager = request.config.limits, request.state.display_manager
    # On another card it need not wait for this one on the way back.
    displays = () if request.state.lit else tuple(f.address for f in request.displays)
    yield from bystanders.steps(request)
    if manager.active:
        draws = bool(displays) and loginscreen.draws(request)
        yield StopDisplayManager(manager.ident, displays, limits.desktop, draws)
    if ended := sorted(ending.sessions(request), key=lambda session: session.ident):
        users = tuple(sorted({session.user for session in ended}))
        idents, asked = tuple(s.ident for s in ended), goodbye.asked(request)
        others = {s.ident for s in request.state.sessions if s.user in asked} - set(idents)
        yield EndSessions(idents, limits.desktop, users, asked, tuple(sorted(others)))
    yield from staying.steps(request)


def _holders(request: Request, functions: list[PciFunction]) -> Iterator[Step]:
    """Users' managers that end with their sessions, and then whoever is left."""
    limits = request.config.limits
    if not request.ends_desktop:
        yield from bystanders.steps(request)
    for unit in ending.managers(request):
        yield StopUnit(unit, restart=False, seconds=limits.desktop)
    if held := tuple(f.address for f in functions if f.driver is not None):
        known = tuple(sorted({holder.pid for holder in request.state.holders}))
        yield ReleaseHolders(held, limits.holders, limits.kill, known)


def _users(request: Request) -> Iterator[Step]:
    """Managers that were stopped only for what they held: their other work goes on.

    And what begins the desktop, if another card of the host has a screen.
    """
    manager = request.state.display_manager
    if request.ends_desktop and request.state.lit:
        begun = [manager.ident] if manager.active else []
        for unit in (*begun, *ending.spawners(request)):
            yield StartAgain(unit, request.config.limits.desktop)
    for unit, uid in ending.holding_units(request).items():
        if bystanders.begins_again(unit, uid, request):
            yield StartAgain(unit, request.config.limits.desktop)


def _picture(request: Request) -> Iterator[Step]:
    """The consoles first: on the way back they are looked for once the displays are there."""
    # With another card lit the consoles move there by themselves (kernel: fbcon.c).
    if request.config.release_consoles and request.state.consoles and not request.state.lit:
        yield ReleaseConsoles(CONSOLE_SECONDS, tuple(f.address for f in request.displays))
    for function in request.displays:
        yield AwaitDisplay(function.address, request.config.limits.display)
    for framebuffer in request.state.framebuffers:
        if any(rules.paints_on(framebuffer, f) for f in request.displays):
            yield UnbindFramebuffer(framebuffer.device, framebuffer.driver)


def _modules(request: Request) -> Iterator[Step]:
    """NVIDIA's are unloaded, unless another card needs them: then only this one is unbound.

    The override comes first: a udev rule or a monitor that loads them again gets no card by it.
    """
    if request.unloads_nvidia:
        cards = tuple(f.address for f in request.leaving if f.driver == nvidia.NVIDIA)
        yield from map(AimOverride, cards)
        for name in NVIDIA_MODULES:
            if name in request.state.nvidia_modules:
                yield UnloadModule(name, request.config.limits.driver, cards)


def _goes_beside_the_desktop(function: PciFunction, request: Request) -> bool:
    """USB controllers: nobody has a node of theirs open, and what hangs on them may be pulled.

    Not one that is part of a graphics card, which stays whole.
    """
    cards = {f.address.card for f in request.displays}
    return function.is_usb_controller and function.address.card not in cards


def _detach(request: Request, functions: list[PciFunction]) -> Iterator[Step]:
    for function in _in_order(functions):
        aimed = request.unloads_nvidia and function.driver == nvidia.NVIDIA
        first = rules.waits_for(function, request.displays) or function
        in_line = "" if first.address.card == function.address.card else first.address.card
        yield Detach(function.address, request.config.limits.driver, aimed, in_line)


def _in_order(functions: Sequence[PciFunction]) -> Sequence[PciFunction]:
    """The display last: on the way back it is then the first to come home.

    Sound may wait for it there (i915, xe). NVIDIA's driver must not meet its sound with vfio-pci:
    that goes after the display, and is home before it.
    """
    cards = [f.address for f in functions if f.is_display and f.driver == nvidia.NVIDIA]
    last = {nvidia.sound_of(card) for card in cards} - set(cards)
    return sorted(functions, key=lambda f: (f.address in last, f.is_display, f.address))
