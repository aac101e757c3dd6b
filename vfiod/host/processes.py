"""The part of Host about processes: who has which device open, and what is late in the kernel."""

from collections.abc import Collection, Sequence
from typing import Protocol

from vfiod.model import Holder, LateCall, PciAddress, Program


class Processes(Protocol):
    """Who has which device node open."""

    def holders(
        self, addresses: Collection[PciAddress], among: Collection[int] | None = None
    ) -> Sequence[Holder]:
        """Processes with a graphics, sound or i2c node of the functions open.

        ``among``: only these are looked at, which costs next to nothing. To look at all means to
        read the mappings and descriptors of every process.
        """

    def vfio_holders(self, groups: Collection[int]) -> Sequence[Holder]:
        """The guest's QEMU: processes with a node of the groups open, or of a device in them
        (iommufd). The one answer to who has the devices; libvirt's own daemons are left out.
        """

    def programs(self, units: Collection[str]) -> Sequence[Program]:
        """What runs in these sessions' scopes and users' managers, each once."""

    def parent(self, pid: int) -> int:
        """The process that began this one; 0 if there is none, or it has ended."""

    def unit(self, pid: int) -> str:
        """The systemd unit that owns a process; empty if none does, or it has ended."""

    def signal(self, holder: Holder, number: int) -> None:
        """Send a signal; a process that is already gone is no error."""


class Late(Protocol):
    """Calls into the kernel that were not waited for any more. None of them is killed."""

    def calls(self) -> Sequence[LateCall]:
        """Those that are still under way; a new one for such a subject raises KernelStuck.

        Of one that an earlier daemon left behind the subject is not known: it is empty.
        """


def short(engine: str, ident: str) -> str:
    """What a person calls a container: an id as docker ps shows it; lxc's names stay whole."""
    return ident if engine == "lxc" else ident[:12]


class Gate(Protocol):
    """Device nodes that nobody can open, root included. Gone with the process that closed it."""

    @property
    def is_closed(self) -> bool: ...

    def can_close(self) -> bool:
        """False where the kernel has no such thing."""

    def close(self, addresses: Collection[PciAddress]) -> None:
        """From now on nobody can open the functions' nodes; who has one open keeps it.

        Raises HostError where the kernel has no such thing.
        """

    def open(self) -> None:
        """Everybody can again; twice is once."""


class Containers(Protocol):
    """Containers of docker, nerdctl, podman and lxc (Incus, LXD). Raises HostError on failure."""

    def stop(self, engine: str, ident: str, *, seconds: float) -> None:
        """Stop one so that its engine does not begin it again."""

    def start(self, engine: str, ident: str, *, seconds: float) -> None:
        """Start it again."""

    def to_start(self, engine: str, ident: str) -> str:
        """The command line by which a person starts it; empty if nothing there could."""
