"""The doors of vfiod.host.door that only ``performance:`` of the configuration needs.

As behind every door, each method does one thing and raises HostError when the host refuses.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class FrequencyPolicy:
    """CPUs whose clock is set together (kernel: admin-guide/pm/cpufreq.rst).

    ``energy`` is the energy-performance preference, None if the driver has none; ``governors``
    and ``energies`` are what may be chosen.
    """

    name: str
    cpus: frozenset[int]
    governor: str
    governors: tuple[str, ...]
    energy: str | None = None
    energies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HugePagePool:
    """Huge pages of ``size`` bytes: how many there are, and how many nobody uses or reserved."""

    size: int
    total: int
    free: int

    @property
    def free_bytes(self) -> int:
        """What a guest may have of them now."""
        return self.free * self.size


class Slices(Protocol):
    """On which CPUs systemd lets the processes of a unit run (systemd.resource-control(5))."""

    def can_limit(self) -> bool:
        """True if the control groups of this host can do it: version 2, with cpusets."""

    def allowed_cpus(self, unit: str) -> frozenset[int]:
        """The limit that is set (AllowedCPUs=); empty if there is none."""

    def set_allowed_cpus(self, unit: str, cpus: AbstractSet[int]) -> None:
        """Set it until the next boot; an empty set lifts it."""

    def effective(self, unit: str) -> frozenset[int]:
        """The CPUs of the unit's cpuset; empty while the kernel keeps none for it, so no limit."""


class Cpus(Protocol):
    """The processors, their clocks, and where interrupts go."""

    def online(self) -> frozenset[int]:
        """CPUs that run."""

    def frequencies(self) -> Sequence[FrequencyPolicy]:
        """All frequency policies; none on a host without frequency scaling."""

    def set_governor(self, policy: str, governor: str) -> None:
        """Set a policy's governor. Some drivers change its energy preference with it."""

    def set_energy(self, policy: str, preference: str) -> None:
        """Set a policy's energy preference; refused while its governor dictates one."""

    def interrupts(self) -> frozenset[int]:
        """Where interrupts go that are set up from now on."""

    def set_default_irq_affinity(self, cpus: AbstractSet[int]) -> None:
        """Change that. Interrupts that exist stay where they are."""


class HugePages(Protocol):
    """Memory in large pieces: the pools that are set aside, and the transparent kind."""

    def pool(self, size: int | None) -> HugePagePool | None:
        """Pages of a size in bytes (None: the default size); None if the kernel has no such."""

    def mounted(self) -> frozenset[int]:
        """The sizes in bytes that libvirt finds a file system for, if it is started now."""

    def resize(self, size: int, count: int) -> None:
        """Ask for so many pages in all. The kernel does what it can and never says how much."""

    def compact(self) -> None:
        """Have the kernel move used memory together. Takes seconds on a large host."""

    def transparent(self) -> str | None:
        """Mode of transparent huge pages; None if the kernel has none."""

    def set_transparent(self, mode: str) -> None:
        """Set the mode, for memory that is touched from now on."""
