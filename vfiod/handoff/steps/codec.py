"""Steps to and from JSON values, for the journal. The list of kinds is written out here."""

from dataclasses import Field, fields
from typing import Any, Final, get_args, get_origin

from vfiod.errors import HostError
from vfiod.handoff.steps.base import Json, Step
from vfiod.handoff.steps.containers import StopContainer
from vfiod.handoff.steps.desktop import ReleaseHolders, StartAgain, StopUnit
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
from vfiod.model import PciAddress

KINDS: Final[dict[str, type[Any]]] = {
    step.kind: step
    for step in (
        SetDefaultIrqAffinity,
        AimOverride,
        AnnounceStart,
        AskToLogOut,
        AwaitDisplay,
        AwaitLibvirt,
        CloseGate,
        Detach,
        EndSessions,
        Inhibit,
        KeepAwake,
        LimitUnit,
        LoadModule,
        OpenGate,
        ReleaseConsoles,
        ReleaseHolders,
        RememberApplications,
        ReserveHugePages,
        SetFrequency,
        SpareGuests,
        StageRom,
        StartAgain,
        StopContainer,
        StopDisplayManager,
        StopInManager,
        StopUnit,
        StopUserUnits,
        TransparentHugePages,
        UnbindFramebuffer,
        UnloadModule,
    )
}
# A field that was called otherwise when journals were written that are read yet.
_ON_DISK = {"after_displays": "yields"}
_FIELDS: Final[dict[str, dict[str, Field[Any]]]] = {
    kind: {_ON_DISK.get(f.name, f.name): f for f in fields(step)} for kind, step in KINDS.items()
}


def encode(step: Step) -> dict[str, Json]:
    """A step as a JSON object."""
    values = {disk: _plain(getattr(step, f.name)) for disk, f in _FIELDS[step.kind].items()}
    return {"kind": step.kind, **values}


def decode(value: dict[str, Any]) -> Step:
    """The step of a JSON object. Raises HostError for a kind or shape this version lacks."""
    arguments = dict(value)
    kind = arguments.pop("kind", None)
    try:
        known = _FIELDS[kind]
        typed = {known[disk].name: _typed(known[disk].type, v) for disk, v in arguments.items()}
        step: Step = KINDS[kind](**typed)
    except (KeyError, TypeError, ValueError) as error:
        raise HostError(f"the journal holds a step of another version: {kind!r}") from error
    return step


def _plain(value: object) -> Json:
    if isinstance(value, PciAddress):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    assert value is None or isinstance(value, str | int | float)
    return value


def _typed(annotation: Any, value: Any) -> Any:
    """The value that the field's annotation asks for: JSON has neither tuples nor addresses."""
    if get_origin(annotation) is tuple:
        item, *_ = get_args(annotation)
        return tuple(_typed(item, each) for each in value)
    return PciAddress.parse(value) if annotation is PciAddress else value
