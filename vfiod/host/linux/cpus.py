"""Processors: which run, how fast, and where interrupts go.

Kernel: admin-guide/cputopology.rst, admin-guide/pm/cpufreq.rst, core-api/irq/irq-affinity.rst.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from vfiod.errors import HostError
from vfiod.host.linux import attributes
from vfiod.host.performance import FrequencyPolicy
from vfiod.util import cpulist, sysfs


class LinuxCpus:
    """Implements vfiod.host.performance.Cpus."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._system = root / "sys/devices/system/cpu"
        self._policies = self._system / "cpufreq"
        self._interrupts = root / "proc/irq/default_smp_affinity"

    def online(self) -> frozenset[int]:
        return cpulist.parse(sysfs.read(self._system / "online") or "")

    def frequencies(self) -> Sequence[FrequencyPolicy]:
        names = [name for name in sysfs.names(self._policies) if name.startswith("policy")]
        return [policy for name in names if (policy := self._policy(name)) is not None]

    def _policy(self, name: str) -> FrequencyPolicy | None:
        """None for a policy without CPUs or governor: all its CPUs are off."""

        def words(attribute: str) -> tuple[str, ...]:
            return tuple((sysfs.read(self._policies / name / attribute) or "").split())

        governor, cpus = words("scaling_governor"), words("affected_cpus")
        if not governor or not cpus:
            return None
        return FrequencyPolicy(
            name=name,
            cpus=frozenset(map(int, cpus)),
            governor=governor[0],
            governors=words("scaling_available_governors"),
            energy=sysfs.read(self._policies / name / "energy_performance_preference"),
            energies=words("energy_performance_available_preferences"),
        )

    def set_governor(self, policy: str, governor: str) -> None:
        attributes.write(self._policies / policy / "scaling_governor", governor)

    def set_energy(self, policy: str, preference: str) -> None:
        attributes.write(self._policies / policy / "energy_performance_preference", preference)

    def interrupts(self) -> frozenset[int]:
        text = sysfs.read(self._interrupts)
        if not text:
            raise HostError(f"{self._interrupts} cannot be read")
        mask = int(text.replace(",", ""), 16)
        return frozenset(cpu for cpu in range(mask.bit_length()) if mask >> cpu & 1)

    def set_default_irq_affinity(self, cpus: AbstractSet[int]) -> None:
        attributes.write(self._interrupts, cpulist.mask(cpus))
