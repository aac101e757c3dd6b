"""Steps to and from JSON values, for the journal. The list of kinds is written out here."""

from dataclasses import fields
from typing import Any, Final

from vfiod.errors import HostError
from vfiod.handoff.steps.base import Json, Step
from vfiod.handoff.steps.containers import StopContainer
from vfiod.handoff.steps.desktop import (
    EndSessions,
    ReleaseHolders,
    StartAgain,
    StopDisplayManager,
    StopUnit,
)
from vfiod.handoff.steps.devices import Detach, KeepAwake
from vfiod.handoff.steps.gate import CloseGate, OpenGate
from vfiod.handoff.steps.libvirt import AwaitLibvirt
from vfiod.handoff.steps.memory import ReserveHugePages, TransparentHugePages
from vfiod.handoff.steps.performance import LimitUnit, SetDefaultIrqAffinity, SetFrequency
from vfiod.handoff.steps.screen import AwaitDisplay, ReleaseConsoles, UnbindFramebuffer
from vfiod.handoff.steps.support import Inhibit, LoadModule, StageRom, UnloadModule
from vfiod.model import PciAddress

KINDS: Final[dict[str, type[Any]]] = {
    step.kind: step
    for step in (
        SetDefaultIrqAffinity,
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
        ReserveHugePages,
        SetFrequency,
        StageRom,
        StartAgain,
        StopContainer,
        StopDisplayManager,
        StopUnit,
        TransparentHugePages,
        UnbindFramebuffer,
        UnloadModule,
    )
}
_ADDRESS_FIELDS = frozenset({"address", "addresses", "displays", "after_displays"})
# A field that was called otherwise when journals were written that are read yet.
_ON_DISK = {"after_displays": "yields"}
_IN_CODE = {disk: code for code, disk in _ON_DISK.items()}


def encode(step: Step) -> dict[str, Json]:
    """A step as a JSON object."""
    values = {_ON_DISK.get(f.name, f.name): _plain(getattr(step, f.name))
              for f in fields(step)}  # type: ignore[arg-type]  # fmt: skip
    return {"kind": step.kind, **values}


def decode(value: dict[str, Any]) -> Step:
    """The step of a JSON object. Raises HostError for a kind or shape this version lacks."""
    arguments = dict(value)
    kind = arguments.pop("kind", None)
    try:
        step: Step = KINDS[kind](**_fields(arguments))
    except (KeyError, TypeError, ValueError) as error:
        raise HostError(f"the journal holds a step of another version: {kind!r}") from error
    return step


def _fields(arguments: dict[str, Any]) -> dict[str, Any]:
    names = ((_IN_CODE.get(name, name), value) for name, value in arguments.items())
    return {name: _typed(name, value) for name, value in names}


def _plain(value: object) -> Json:
    if isinstance(value, PciAddress):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    assert value is None or isinstance(value, str | int | float)
    return value


def _typed(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_typed(name, item) for item in value)
    return PciAddress.parse(value) if name in _ADDRESS_FIELDS else value
