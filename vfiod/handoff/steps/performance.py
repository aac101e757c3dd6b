"""Steps that give the guest its CPUs for as long as it runs: host's units, clocks, interrupts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from vfiod.errors import HostError, TimedOut
from vfiod.handoff.steps.base import HostStep, Notes, Prior, write_by_hand
from vfiod.host.door import Host
from vfiod.host.performance import FrequencyPolicy
from vfiod.util import cpulist

_POLICIES = "/sys/devices/system/cpu/cpufreq"
_FILES = ("scaling_governor", "energy_performance_preference")


@dataclass(frozen=True, slots=True)
class LimitUnit(HostStep):
    """Keep a unit of the host, and all in it, on some CPUs (systemd.resource-control(5)).

    ``cpus`` is a list like ``0-1,12-13``. systemd forgets the limit at the next boot.
    """

    kind: ClassVar[str] = "limit-unit"
    unit: str
    cpus: str
    seconds: float

    def describe(self) -> str:
        return f"keep {self.unit} on CPUs {self.cpus}"

    def describe_undo(self) -> str:
        return f"give {self.unit} its CPUs back"

    def by_hand(self, prior: Prior) -> str:
        cpus = f"AllowedCPUs={prior.get('cpus', '')}"
        return f"sudo systemctl set-property --runtime {self.unit} {cpus}"

    def observe(self, host: Host) -> Prior:
        return {"cpus": cpulist.write(host.slices.allowed_cpus(self.unit))}

    def apply(self, host: Host) -> Notes:
        wanted = cpulist.parse(self.cpus)
        host.slices.set_allowed_cpus(self.unit, wanted)
        # systemd answers first and tells the kernel then.
        if not host.wait(lambda: self._is_kept(host, wanted), seconds=self.seconds):
            found = cpulist.write(host.slices.effective(self.unit))
            raise TimedOut(
                f"{self.unit} still uses CPUs {found} after {self.seconds:g} s; "
                f"its limit was {self.cpus}",
                "what systemd said about it: sudo journalctl -b _PID=1",
            )
        return ()

    def _is_kept(self, host: Host, wanted: frozenset[int]) -> bool:
        """A unit that runs has a cpuset once systemd has told the kernel; before, there is none."""
        found = host.slices.effective(self.unit)
        return found <= wanted and (bool(found) or not host.units.unit(self.unit).active)

    def undo(self, host: Host, prior: Prior) -> Notes:
        before = cpulist.parse(str(prior["cpus"]))
        if host.slices.allowed_cpus(self.unit) != before:
            host.slices.set_allowed_cpus(self.unit, before)
        return ()


@dataclass(frozen=True, slots=True)
class SetDefaultIrqAffinity(HostStep):
    """Let interrupts that are set up from now on go to some CPUs.

    A guest's driver asks for its device's interrupts while the guest boots, and again whenever
    it is loaded anew. So not they are moved, but the kernel's choice for new ones is
    (kernel: core-api/irq/irq-affinity.rst, default_smp_affinity).
    """

    kind: ClassVar[str] = "aim-interrupts"
    cpus: str

    def describe(self) -> str:
        return f"let new interrupts go to CPUs {self.cpus}"

    def describe_undo(self) -> str:
        return "let new interrupts go where they went before"

    def by_hand(self, prior: Prior) -> str:
        mask = cpulist.mask(cpulist.parse(str(prior.get("cpus", ""))))
        return write_by_hand(mask, "/proc/irq/default_smp_affinity")

    def observe(self, host: Host) -> Prior:
        return {"cpus": cpulist.write(host.cpus.interrupts())}

    def apply(self, host: Host) -> Notes:
        wanted = cpulist.parse(self.cpus)
        host.cpus.set_default_irq_affinity(wanted)
        if host.cpus.interrupts() != wanted:
            raise HostError(f"new interrupts do not go to CPUs {self.cpus}")
        return ()

    def undo(self, host: Host, prior: Prior) -> Notes:
        before = cpulist.parse(str(prior["cpus"]))
        if host.cpus.interrupts() != before:
            host.cpus.set_default_irq_affinity(before)
        return ()


@dataclass(frozen=True, slots=True)
class SetFrequency(HostStep):
    """Set governor and energy preference of some frequency policies; None is left alone.

    The governor comes last here and first on the way back: some drivers refuse a preference
    while the governor is performance, and put the old one back when it no longer is
    (kernel: admin-guide/pm/intel_pstate.rst, amd-pstate.rst).
    """

    kind: ClassVar[str] = "set-frequency"
    policies: tuple[str, ...]
    governor: str | None
    energy: str | None

    def describe(self) -> str:
        wishes = {"governor": self.governor, "energy preference": self.energy}
        return "set " + ", ".join(f"{what} {value}" for what, value in wishes.items() if value)

    def describe_undo(self) -> str:
        return "restore the governors and energy preferences"

    def by_hand(self, prior: Prior) -> str:
        files: dict[str, list[str]] = {}
        for policy, before in prior.items():
            for value, name in zip(_pair(before), _FILES, strict=True):
                if value:
                    files.setdefault(value, []).append(f"{_POLICIES}/{policy}/{name}")
        return "; ".join(write_by_hand(value, *paths) for value, paths in files.items())

    def observe(self, host: Host) -> Prior:
        return {p.name: [p.governor, p.energy] for p in self._policies(host)}

    def apply(self, host: Host) -> Notes:
        for policy in self._policies(host):
            if self.energy is not None and policy.energy not in (None, self.energy):
                host.cpus.set_energy(policy.name, self.energy)
            if self.governor is not None and policy.governor != self.governor:
                host.cpus.set_governor(policy.name, self.governor)
        self._require_taken(host)
        return ()

    def _require_taken(self, host: Host) -> None:
        for policy in self._policies(host):
            if self.governor not in (None, policy.governor):
                raise HostError(f"{policy.name} has the governor {policy.governor} in the end")
            if policy.energy is not None and self.energy not in (None, policy.energy):
                raise HostError(f"{policy.name} has the preference {policy.energy} in the end")

    def undo(self, host: Host, prior: Prior) -> Notes:
        """A policy that has vanished with its CPUs since needs nothing."""
        faults = []
        for policy in self._policies(host):
            try:
                _restore(host, policy, prior)
            except HostError as error:
                faults.append(error)
        if faults:
            raise faults[0]
        return ()

    def _policies(self, host: Host) -> list[FrequencyPolicy]:
        return [p for p in host.cpus.frequencies() if p.name in self.policies]


def _restore(host: Host, policy: FrequencyPolicy, prior: Prior) -> None:
    governor, energy = _pair(prior.get(policy.name))
    if governor and policy.governor != governor:
        host.cpus.set_governor(policy.name, governor)
    now = {p.name: p.energy for p in host.cpus.frequencies()}
    if energy and now.get(policy.name) not in (None, energy):
        host.cpus.set_energy(policy.name, energy)


def _pair(value: object) -> tuple[str | None, str | None]:
    """What observe wrote for a policy; it comes back as a list of text and null."""
    assert value is None or isinstance(value, Sequence)
    governor, energy = value or (None, None)
    return governor, energy
