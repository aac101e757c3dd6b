"""Every kind of step through JSON and back."""

import importlib
import json
import pkgutil
from dataclasses import fields

import pytest

from tests.fakes import pcs
from vfiod.errors import HostError
from vfiod.handoff import steps
from vfiod.handoff.steps.base import AskingStep, DeviceStep, HostStep, Step
from vfiod.handoff.steps.codec import KINDS, decode, encode
from vfiod.handoff.steps.containers import StopContainer
from vfiod.handoff.steps.desktop import DesktopStep, ReleaseHolders, StartAgain, StopUnit
from vfiod.handoff.steps.devices import AimOverride, Detach, KeepAwake
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

ODD = "Gäst \"№1\" \\ 'x' — 客人"
ONE_OF_EACH: tuple[Step, ...] = (
    Inhibit(ODD),
    LoadModule("vfio_pci", 20.0),
    UnloadModule("nvidia", 20),
    StageRom(pcs.VGA, "/home/älice/a b.rom", "0" * 64),
    StopDisplayManager("lightdm.service", (pcs.VGA, pcs.AUDIO), 20.0),
    StopUnit("user@1000.service", restart=True, seconds=0.5),
    StopUnit("lactd.service", restart=True, seconds=0.5, after_displays=(pcs.VGA,)),
    AnnounceStart("win10", ("2", "c1"), ("alice", ODD), 10.0),
    AskToLogOut("win10", ("2", "c1"), ("alice", ODD), 60.0, required=True),
    EndSessions(("2", "c1"), 20.0),
    RememberApplications(1000, "älice", ("2", "c1"), "ask", 20.0),
    StopUserUnits(1000, ODD, ("ollama.service",), 20.0),
    StopInManager(1000, ODD, ("app-a@1.service",), ("pipewire.service",), 20.0),
    CloseGate((pcs.VGA, pcs.AUDIO)),
    OpenGate(),
    SpareGuests((pcs.VGA, pcs.AUDIO)),
    StartAgain("user@1001.service", 20.0),
    StopContainer("docker", "3f" * 32, 20.0, (pcs.VGA,)),
    ReleaseHolders((pcs.VGA, pcs.AUDIO), 5.0, 5.0),
    AwaitDisplay(pcs.VGA, 20.0),
    AwaitLibvirt(pcs.UUID, 30.0),
    ReleaseConsoles(20.0),
    UnbindFramebuffer("efi-framebuffer.0", "efi-framebuffer"),
    KeepAwake(pcs.VGA),
    AimOverride(pcs.VGA),
    Detach(pcs.VGA, 20.0),
    LimitUnit("system.slice", "0-1,12", 10.0),
    SetDefaultIrqAffinity("2-11"),
    SetFrequency(("policy0", "policy1"), "performance", None),
    ReserveHugePages(2**21, 8192, 30.0),
    TransparentHugePages("never"),
)


def test_there_is_an_example_of_every_kind() -> None:
    assert {step.kind for step in ONE_OF_EACH} == set(KINDS)


def test_every_step_that_is_written_has_its_kind_in_the_list() -> None:
    for module in pkgutil.iter_modules(steps.__path__):
        importlib.import_module(f"{steps.__name__}.{module.name}")
    # A dataclass with slots exists twice, so the classes are compared by name.
    bases = (HostStep, AskingStep, DeviceStep, DesktopStep)
    written = {kind.__name__ for base in bases for kind in base.__subclasses__()}
    written -= {base.__name__ for base in bases}
    assert written == {kind.__name__ for kind in KINDS.values()}


@pytest.mark.parametrize("step", ONE_OF_EACH, ids=lambda step: step.kind)
def test_a_step_comes_back_as_it_was(step: Step) -> None:
    back = decode(json.loads(json.dumps(encode(step))))
    assert back == step
    assert type(back) is type(step)
    assert hash(back) == hash(step)


@pytest.mark.parametrize("step", ONE_OF_EACH, ids=lambda step: step.kind)
def test_every_field_keeps_its_type(step: Step) -> None:
    back = decode(json.loads(json.dumps(encode(step))))
    for field in fields(step):  # type: ignore[arg-type]
        assert type(getattr(back, field.name)) is type(getattr(step, field.name))


@pytest.mark.parametrize("step", ONE_OF_EACH, ids=lambda step: step.kind)
def test_every_step_says_what_it_does(step: Step) -> None:
    assert step.describe()
    assert step.describe()[0].islower()
    assert step.describe_undo() == "" or step.describe_undo()[0].islower()


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"kind": None},
        {"kind": "warp"},
        {"kind": "detach"},
        {"kind": "detach", "address": "0000:01:00.0"},
        {"kind": "detach", "address": "nowhere", "seconds": 1},
        {"kind": "detach", "address": 5, "seconds": 1},
        {"kind": "keep-awake", "address": "0000:01:00.0", "more": 1},
    ],
)
def test_a_step_of_another_version_is_an_error(value: dict[str, object]) -> None:
    with pytest.raises(HostError, match="a step of another version"):
        decode(value)
