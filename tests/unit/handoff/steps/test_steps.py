"""Each kind of step: undo first of all, then apply."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.host import FakeHost
from tests.fakes.performance import FakePool
from tests.fakes.shapes import firmware, with_vfio
from vfiod.errors import HostError
from vfiod.handoff.steps.base import Notes, Prior, Step
from vfiod.handoff.steps.codec import KINDS
from vfiod.handoff.steps.containers import StopContainer
from vfiod.handoff.steps.desktop import ReleaseHolders, StartAgain, StopUnit
from vfiod.handoff.steps.devices import AWAKE, AimOverride, Detach, KeepAwake
from vfiod.handoff.steps.displaymanager import StopDisplayManager
from vfiod.handoff.steps.gate import CloseGate, OpenGate, SpareGuests
from vfiod.handoff.steps.goodbye import AnnounceStart, AskToLogOut
from vfiod.handoff.steps.libvirt import AwaitLibvirt
from vfiod.handoff.steps.memory import ReserveHugePages, TransparentHugePages
from vfiod.handoff.steps.people import (
    EndSessions,
    RememberApplications,
    StopInManager,
    StopUserUnits,
)
from vfiod.handoff.steps.performance import LimitUnit, SetDefaultIrqAffinity, SetFrequency
from vfiod.handoff.steps.screen import AwaitDisplay, ReleaseConsoles, UnbindFramebuffer
from vfiod.handoff.steps.support import Inhibit, LoadModule, StageRom, UnloadModule

DIGEST = hashlib.sha256(pcs.rom()).hexdigest()
SECONDS = 20.0


def scattered() -> FakeHost:
    host = pcs.tuned()
    host.hugepages.pools[2**21] = FakePool(obtainable=100, scattered=2000)
    return host


POLICIES = ("policy2", "policy3", "policy4")


@dataclass(frozen=True)
class Case:
    """A step on a PC where it has something to do; ``returns`` says if its undo restores all,
    ``tries_again`` if one failure is none.
    """

    step: Step
    shape: Callable[[], FakeHost]
    returns: bool = True
    tries_again: bool = False


def awake(host: FakeHost) -> FakeHost:
    """As KeepAwake leaves it, who gives back what vfio-pci does to the settings, too."""
    for device in host.kernel.devices.values():
        device.power = AWAKE
    return with_vfio(host)


CASES = (
    Case(Inhibit("win10"), pcs.bare),
    Case(LoadModule("vfio_pci", SECONDS), pcs.bare),
    Case(UnloadModule("nvidia_uvm", SECONDS), pcs.nvidia, tries_again=True),
    Case(StageRom(pcs.VGA, pcs.ROM, DIGEST), pcs.bare),
    Case(StopDisplayManager("lightdm.service", (pcs.VGA,), SECONDS), pcs.greeter),
    Case(StopUnit("lightdm.service", restart=True, seconds=SECONDS), pcs.greeter),
    Case(AnnounceStart("win10", ("2",), ("alice",), SECONDS), pcs.desktop),
    Case(AskToLogOut("win10", ("2",), ("alice",), SECONDS, required=False), pcs.desktop),
    Case(EndSessions(("2",), SECONDS), pcs.desktop),
    Case(CloseGate((pcs.VGA,)), pcs.greeter, returns=False),
    Case(OpenGate(), pcs.greeter),
    Case(SpareGuests((pcs.VGA,)), pcs.greeter),
    Case(StartAgain("user@1001.service", SECONDS), pcs.crowded),
    Case(RememberApplications(1000, "alice", ("2",), "ask", SECONDS), pcs.desktop),
    Case(StopUserUnits(1000, "alice", ("pipewire.service",), SECONDS), pcs.staying),
    Case(StopInManager(1000, "alice", (), ("pipewire.service",), SECONDS), pcs.staying),
    Case(StopContainer("docker", pcs.CONTAINER, SECONDS), pcs.container),
    Case(ReleaseHolders((pcs.USB,), 5, 5), pcs.greeter),
    Case(AwaitDisplay(pcs.VGA, SECONDS), pcs.greeter),
    Case(ReleaseConsoles(SECONDS), pcs.greeter),
    Case(UnbindFramebuffer(pcs.EFIFB.device, pcs.EFIFB.driver), firmware),
    Case(KeepAwake(pcs.VGA), pcs.bare),
    Case(AimOverride(pcs.VGA), pcs.bare),
    Case(AwaitLibvirt(pcs.UUID, SECONDS), pcs.bare),
    Case(Detach(pcs.VGA, SECONDS), lambda: awake(pcs.bare())),
    Case(Detach(pcs.AUDIO, SECONDS), lambda: awake(pcs.bare(audio=None))),
    Case(LimitUnit("system.slice", "0-1", SECONDS), pcs.tuned),
    Case(LimitUnit("user.slice", "0-1", SECONDS), pcs.tuned),
    Case(SetDefaultIrqAffinity("2-7"), pcs.tuned),
    Case(SetFrequency(POLICIES, "performance", "performance"), pcs.tuned),
    Case(SetFrequency(POLICIES, "performance", None), pcs.tuned),
    Case(SetFrequency(POLICIES, None, "power"), pcs.tuned),
    Case(ReserveHugePages(2**21, 2048, SECONDS), pcs.tuned),
    Case(ReserveHugePages(2**21, 2048, SECONDS), scattered),
    Case(TransparentHugePages("never"), pcs.tuned),
    Case(StopUnit("user@1000.service", restart=False, seconds=SECONDS), pcs.desktop, returns=False),
)
ALL = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.step.kind}")
RETURNING = pytest.mark.parametrize(
    "case", [case for case in CASES if case.returns], ids=lambda case: case.step.kind
)


def test_there_is_a_case_for_every_kind() -> None:
    assert {case.step.kind for case in CASES} == set(KINDS)


def plain(prior: Prior) -> Prior:
    """What undo is given was in a JSON file in between."""
    return dict(prior)


def says_so(act: Callable[[], Notes]) -> bool:
    """Whether a failure is raised, or told by a step whose failure is no reason to give up."""
    try:
        return bool(act())
    except HostError:
        return True


# Undo, by the rules that hold for every step


@ALL
def test_observing_changes_nothing(case: Case) -> None:
    host = case.shape()
    case.step.observe(host)
    assert host.effects.log == []


@RETURNING
def test_undo_restores_what_apply_changed(case: Case) -> None:
    host = case.shape()
    before = host.snapshot()
    prior = plain(case.step.observe(host))
    case.step.apply(host)
    case.step.undo(host, prior)
    host.settle()
    assert host.snapshot() == before


@ALL
def test_undo_without_apply_changes_nothing(case: Case) -> None:
    host = case.shape()
    before = host.snapshot()
    case.step.undo(host, plain(case.step.observe(host)))
    assert host.snapshot() == before


@RETURNING
def test_undo_twice_is_as_good_as_once(case: Case) -> None:
    host = case.shape()
    before = host.snapshot()
    prior = plain(case.step.observe(host))
    case.step.apply(host)
    case.step.undo(host, prior)
    case.step.undo(host, prior)
    host.settle()
    assert host.snapshot() == before


@RETURNING
def test_undo_after_an_apply_that_stopped_anywhere(case: Case) -> None:
    host = case.shape()
    case.step.apply(host)
    for number in range(1, len(host.effects.log) + 1):
        for fault in (Fault.FAIL_BEFORE, Fault.FAIL_AFTER):
            host = case.shape()
            before = host.snapshot()
            prior = plain(case.step.observe(host))
            host.effects.plan({number: fault})
            assert says_so(partial(case.step.apply, host)) or case.tries_again
            case.step.undo(host, prior)
            host.settle()
            assert host.snapshot() == before, (number, fault)


@RETURNING
def test_undo_after_an_undo_that_stopped_anywhere(case: Case) -> None:
    host = case.shape()
    prior = plain(case.step.observe(host))
    case.step.apply(host)
    host.effects.log.clear()
    case.step.undo(host, prior)
    for number in range(1, len(host.effects.log) + 1):
        for fault in (Fault.FAIL_BEFORE, Fault.FAIL_AFTER):
            host = case.shape()
            before = host.snapshot()
            prior = plain(case.step.observe(host))
            case.step.apply(host)
            host.effects.plan({number: fault})
            assert says_so(partial(case.step.undo, host, prior))
            case.step.undo(host, prior)
            host.settle()
            assert host.snapshot() == before, (number, fault)


@ALL
def test_a_step_with_an_undo_says_so(case: Case) -> None:
    host = case.shape()
    prior = case.step.observe(host)
    case.step.apply(host)
    host.effects.log.clear()
    case.step.undo(host, prior)
    assert bool(host.effects.log) <= bool(case.step.describe_undo())
