"""A step that stops a container through its engine, and starts it again."""

from dataclasses import dataclass
from typing import ClassVar

from vfiod.errors import HostError
from vfiod.handoff.steps.base import Notes, Prior
from vfiod.handoff.steps.desktop import DesktopStep, await_master, start_bystander
from vfiod.host.door import Host
from vfiod.host.processes import short
from vfiod.model import PciAddress


@dataclass(frozen=True, slots=True)
class StopContainer(DesktopStep):
    """Stop a container that holds the devices: its engine would begin an ended one again.

    It is a bystander: neither way does its failure stop a handoff. What is left of it the gate
    ends, and on the way back it is told. ``displays`` and ``after_displays``: as for a unit.
    """

    kind: ClassVar[str] = "stop-container"
    engine: str
    container: str
    seconds: float
    after_displays: tuple[PciAddress, ...] = ()
    displays: tuple[PciAddress, ...] = ()

    @property
    def name(self) -> str:
        """As a person calls it."""
        return short(self.engine, self.container)

    def describe(self) -> str:
        return f"stop the {self.engine} container {self.name}"

    def describe_undo(self) -> str:
        return f"start the {self.engine} container {self.name} again"

    def observe(self, host: Host) -> Prior:
        return {"running": True}

    def apply(self, host: Host) -> Notes:
        try:
            host.containers.stop(self.engine, self.container, seconds=self.seconds)
        except HostError as error:
            return (f"{error.message}: its processes are ended one by one",)
        return ()

    def undo(self, host: Host, prior: Prior) -> Notes:
        await_master(host, self.after_displays)
        name, remedy = f"container {self.name}", f"see to it with: {self._command(host)}"
        return start_bystander(host, name, lambda: self._start(host), remedy, self.displays)

    def _command(self, host: Host) -> str:
        return host.containers.to_start(self.engine, self.container) or "the program that runs it"

    def _start(self, host: Host) -> Notes:
        host.containers.start(self.engine, self.container, seconds=self.seconds)
        return ()
