"""The doors that performance: needs, over a model of their own."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from tests.fakes.doors import Door
from tests.fakes.fault import Effects
from tests.fakes.kernel import Kernel
from tests.fakes.userspace import Userspace
from vfiod.errors import HostError
from vfiod.host.performance import FrequencyPolicy, HugePagePool

MIB = 2**20
PERFORMANCE = "performance"


class FakeSlices(Door):
    """Implements vfiod.host.performance.Slices."""

    def __init__(self, kernel: Kernel, user: Userspace, effects: Effects) -> None:
        super().__init__(kernel, user, effects)
        self.limits: dict[str, frozenset[int]] = {}
        self.cpus = frozenset(range(8))
        self.has_cpusets = True
        self.ignores_limits = False
        self.without_cpuset: set[str] = set()

    def can_limit(self) -> bool:
        return self.has_cpusets

    def allowed_cpus(self, unit: str) -> frozenset[int]:
        return self.limits.get(unit, frozenset())

    def set_allowed_cpus(self, unit: str, cpus: AbstractSet[int]) -> None:
        def do() -> None:
            if unit.endswith(".target"):
                raise HostError(f"systemd will not limit {unit}")
            self.limits[unit] = frozenset(cpus)

        self._effects.take(f"allow {unit} {sorted(cpus)}", do)

    def effective(self, unit: str) -> frozenset[int]:
        if unit in self.without_cpuset:
            return frozenset()
        limit = frozenset() if self.ignores_limits else self.allowed_cpus(unit)
        return limit & self.cpus or self.cpus


class FakeCpus(Door):
    """Implements vfiod.host.performance.Cpus; frequency as intel_pstate's active mode has it."""

    def __init__(self, kernel: Kernel, user: Userspace, effects: Effects) -> None:
        super().__init__(kernel, user, effects)
        self.running = frozenset(range(8))
        self.policies: dict[str, FrequencyPolicy] = {}
        self.aim = frozenset(range(8))
        self.aim_is_fixed = False
        self.ignores: set[str] = set()
        self._saved: dict[str, str | None] = {}

    def add_policy(self, number: int, energy: str | None = "balance_performance") -> None:
        """The policy of one CPU, on powersave."""
        choices = (PERFORMANCE, "balance_performance", "power") if energy else ()
        policy = FrequencyPolicy(
            f"policy{number}",
            frozenset({number}),
            "powersave",
            (PERFORMANCE, "powersave"),
            energy,
            choices,
        )
        self.policies[policy.name] = policy

    def online(self) -> frozenset[int]:
        return self.running

    def frequencies(self) -> Sequence[FrequencyPolicy]:
        return list(self.policies.values())

    def set_governor(self, policy: str, governor: str) -> None:
        self._effects.take(
            f"governor {policy} {governor}", lambda: self._govern(self._policy(policy), governor)
        )

    def _govern(self, policy: FrequencyPolicy, governor: str) -> None:
        """The governor performance dictates the preference; leaving it brings the old one back."""
        if governor in self.ignores:
            return
        energy = policy.energy
        if energy is not None and governor == PERFORMANCE != policy.governor:
            self._saved[policy.name], energy = energy, PERFORMANCE
        elif energy is not None and policy.governor == PERFORMANCE != governor:
            energy = self._saved.pop(policy.name, energy)
        self.policies[policy.name] = replace(policy, governor=governor, energy=energy)

    def set_energy(self, policy: str, preference: str) -> None:
        def do() -> None:
            found = self._policy(policy)
            if found.governor == PERFORMANCE != preference:
                raise HostError(f"the kernel refused {preference!r}: Device or resource busy")
            if preference not in self.ignores:
                self.policies[policy] = replace(found, energy=preference)

        self._effects.take(f"energy {policy} {preference}", do)

    def interrupts(self) -> frozenset[int]:
        return self.aim

    def set_default_irq_affinity(self, cpus: AbstractSet[int]) -> None:
        def do() -> None:
            if not self.running & cpus:
                raise HostError("the kernel refused '0': Invalid argument")
            self.aim = self.aim if self.aim_is_fixed else frozenset(cpus)

        self._effects.take(f"aim {sorted(cpus)}", do)

    def _policy(self, name: str) -> FrequencyPolicy:
        if name not in self.policies:
            raise HostError(f"the kernel refused {name}: No such file or directory")
        return self.policies[name]


@dataclass
class FakePool:
    """Pages of one size. ``obtainable`` can be had more at once, ``scattered`` once compacted."""

    total: int = 0
    used: int = 0
    obtainable: int = 2**16
    scattered: int = 0


class FakeHugePages(Door):
    """Implements vfiod.host.performance.HugePages."""

    def __init__(self, kernel: Kernel, user: Userspace, effects: Effects) -> None:
        super().__init__(kernel, user, effects)
        self.mode: str | None = "madvise"
        self.mode_is_fixed = False
        self.pools = {2 * MIB: FakePool()}
        self.default = 2 * MIB
        self.mounts = {2 * MIB}

    def pool(self, size: int | None) -> HugePagePool | None:
        size = size or self.default
        found = self.pools.get(size)
        return HugePagePool(size, found.total, found.total - found.used) if found else None

    def mounted(self) -> frozenset[int]:
        return frozenset(self.mounts)

    def resize(self, size: int, count: int) -> None:
        def do() -> None:
            pool = self.pools[size]
            wanted = max(count, pool.used)
            change = min(wanted - pool.total, pool.obtainable)
            pool.total, pool.obtainable = pool.total + change, pool.obtainable - change

        self._effects.take(f"resize {size // MIB} MiB {count}", do)

    def compact(self) -> None:
        def do() -> None:
            for pool in self.pools.values():
                pool.obtainable, pool.scattered = pool.obtainable + pool.scattered, 0

        self._effects.take("compact", do)

    def transparent(self) -> str | None:
        return self.mode

    def set_transparent(self, mode: str) -> None:
        def do() -> None:
            self.mode = self.mode if self.mode_is_fixed else mode

        self._effects.take(f"transparent {mode}", do)


def snapshot(slices: FakeSlices, cpus: FakeCpus, hugepages: FakeHugePages) -> dict[str, Any]:
    """What of them must be as before."""
    return {
        "limits": {unit: limit for unit, limit in slices.limits.items() if limit},
        "frequencies": dict(cpus.policies),
        "interrupts": cpus.aim,
        "pools": {size: pool.total for size, pool in hugepages.pools.items()},
        "transparent": hugepages.mode,
    }
