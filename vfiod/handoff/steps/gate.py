"""Steps that keep the devices' nodes from being opened while they change hands."""

from dataclasses import dataclass
from typing import ClassVar

from vfiod.errors import HostError
from vfiod.handoff.steps.base import HostStep, Notes
from vfiod.handoff.steps.desktop import DesktopStep, refuse_guests
from vfiod.host.door import Host
from vfiod.model import PciAddress


@dataclass(frozen=True, slots=True)
class CloseGate(DesktopStep):
    """Nobody can open the devices any more, so that whoever lets go of one stays without it.

    Nothing is journaled for it: the gate opens by itself when the daemon dies, and every way back
    begins with opening it.
    """

    kind: ClassVar[str] = "close-gate"
    addresses: tuple[PciAddress, ...]

    def describe(self) -> str:
        return f"keep {', '.join(map(str, self.addresses))} from being opened again"

    def apply(self, host: Host) -> Notes:
        try:
            host.gate.close(self.addresses)
        except HostError as error:
            return (f"{error.message}: holders are looked for again before each unbind instead",)
        return ()


@dataclass(frozen=True, slots=True)
class OpenGate(HostStep):
    """The nodes are gone, and their numbers may be given to others."""

    kind: ClassVar[str] = "open-gate"

    def describe(self) -> str:
        return "let device nodes be opened again"

    def apply(self, host: Host) -> Notes:
        host.gate.open()
        return ()


@dataclass(frozen=True, slots=True)
class SpareGuests(DesktopStep):
    """People were asked, which takes its time: a guest that has begun to use the devices since
    gives the start up, before anything has ended for it.
    """

    kind: ClassVar[str] = "spare-guests"
    addresses: tuple[PciAddress, ...]

    def describe(self) -> str:
        return f"see that no guest uses {', '.join(map(str, self.addresses))} by now"

    def apply(self, host: Host) -> Notes:
        refuse_guests(host.processes.holders(self.addresses))
        return ()
