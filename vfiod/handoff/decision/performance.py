"""What ``performance:`` asks for, against what the host can do: faults, remarks, steps. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from vfiod.config.performance import AUTO, Performance
from vfiod.errors import HostError
from vfiod.guest.domain import Domain
from vfiod.handoff.decision.hoststate import HostState
from vfiod.handoff.steps.base import Step
from vfiod.handoff.steps.memory import ReserveHugePages, TransparentHugePages
from vfiod.handoff.steps.performance import LimitUnit, SetDefaultIrqAffinity, SetFrequency
from vfiod.host.performance import FrequencyPolicy
from vfiod.util import cpulist
from vfiod.util.hugepages import RESTART, UNMOUNTED, shown, to_mount
from vfiod.util.typed import TO_CHANGE, virsh

KINDS = (SetDefaultIrqAffinity, LimitUnit, ReserveHugePages, SetFrequency, TransparentHugePages)
# All that runs on the host but the guests, which libvirt puts into machine.slice.
HOST_UNITS = ("system.slice", "user.slice", "init.scope")
# What the desktop may still ask for while pages are taken from under it.
SPARE = 256 * 2**20
LIMIT_SECONDS = 10.0
RESERVE_SECONDS = 30.0

Faults = Iterator[HostError]


@dataclass(frozen=True, slots=True)
class PerformanceRequest:
    """What is asked for one guest, and the facts to hold it against."""

    asked: Performance
    domain: Domain
    state: HostState

    @property
    def host_cpus(self) -> frozenset[int]:
        """CPUs that the host keeps; those that do not exist are left out."""
        return self.asked.host_cpus & self.state.online

    @property
    def guest_cpus(self) -> frozenset[int]:
        """All others: all CPUs if the host keeps none for itself."""
        return self.state.online - self.host_cpus

    @property
    def policies(self) -> list[FrequencyPolicy]:
        """Frequency policies of the guest's CPUs."""
        return [p for p in self.state.frequencies if p.cpus & self.guest_cpus]

    @property
    def hugepage_bytes(self) -> int:
        """How much memory in huge pages must be free."""
        asked = self.asked.hugepages
        return self.domain.memory_bytes if asked in (None, AUTO) else asked


def find_faults(request: PerformanceRequest) -> Faults:
    """What cannot be done and is better said before the desktop ends."""
    if request.asked.host_cpus:
        yield from _cpu_faults(request)
    yield from _frequency_faults(request)
    if request.asked.hugepages is not None:
        yield from _hugepage_faults(request)
    elif request.domain.hugepages:
        yield from _free_hugepage_faults(request)
    if request.domain.hugepages:
        yield from _mount_faults(request)


def _cpu_faults(request: PerformanceRequest) -> Faults:
    there = cpulist.write(request.state.online)
    if not request.state.can_limit_cpus:
        yield HostError(
            "host_cpus: the control groups of this host cannot limit CPUs",
            "boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1), or leave host_cpus out",
        )
    if not request.host_cpus:
        yield HostError(f"host_cpus: no such CPU, this PC has {there}", "see: lscpu -e")
    elif not request.guest_cpus:
        yield HostError(
            f"host_cpus: these are all CPUs of this PC ({there}), none is left for the guest",
            "list only those that the host keeps",
        )


def _frequency_faults(request: PerformanceRequest) -> Faults:
    """One fault for all policies: they are alike on nearly every PC."""
    governor, energy = request.asked.governor, request.asked.energy
    for policy in request.policies:
        if governor is not None and governor not in policy.governors:
            yield _not_among("governor", governor, policy.governors)
            break
    for policy in request.policies:
        if energy is not None and policy.energy is not None and energy not in policy.energies:
            yield _not_among("energy", energy, policy.energies)
            break


def _not_among(key: str, value: str, choices: tuple[str, ...]) -> HostError:
    return HostError(f"{key}: this host has no {value}", f"it has: {', '.join(choices)}")


def _hugepage_faults(request: PerformanceRequest) -> Faults:
    pool, needed = request.state.memory.pool, request.hugepage_bytes
    if not request.domain.hugepages:
        yield HostError(
            "hugepages: the guest does not use huge pages, it would need the memory twice",
            "give it <memoryBacking><hugepages/></memoryBacking> with: "
            f"{virsh('edit', request.domain.name)}",
        )
    elif pool is None:
        yield HostError(
            f"the guest wants huge pages of {request.domain.hugepage_bytes} bytes, "
            "this kernel has no such size",
            "see what it has: ls /sys/kernel/mm/hugepages",
        )
    elif needed < request.domain.memory_bytes:
        yield HostError(
            f"hugepages: {_size(needed)} is less than the guest's memory, "
            f"{_size(request.domain.memory_bytes)}",
            "write auto",
        )
    else:
        missing, spare = needed - pool.free_bytes, request.state.memory.available - SPARE
        if missing > max(0, spare):
            yield HostError(
                f"hugepages: {_size(missing)} must still be set aside and only "
                f"{_size(max(0, spare))} can be spared while the desktop runs",
                "close programs, or give the guest less memory",
            )


def _free_hugepage_faults(request: PerformanceRequest) -> Faults:
    needed, free = request.domain.memory_bytes, request.state.memory.hugepages
    if free < needed:
        yield HostError(
            f"the guest needs {_size(needed)} of huge pages and {_size(free)} are free",
            "let vfiod reserve them, with hugepages: auto under performance: of the guest",
        )


def _mount_faults(request: PerformanceRequest) -> Faults:
    """libvirt takes huge pages from a file system that has them, but for a memfd's. A guest that
    asks for no size gets that of a file system that there is, and a memfd too needs one then (its
    qemu_command.c: qemuBuildMemoryBackendProps, qemuBuildMemoryGetDefaultPagesize).
    """
    memory, asked = request.state.memory, request.domain.hugepage_bytes
    by_size = request.domain.memfd or asked in memory.mounted
    if memory.pool is None or (by_size if asked else memory.mounted):
        return
    size = memory.pool.size
    memfd = "or add <source type='memfd'/> to the guest's <memoryBacking>, which needs none\n"
    yield HostError(
        f"the guest's memory is to be in huge pages of {shown(size)}, and {UNMOUNTED}",
        f"mount one: {to_mount(size)}\n"
        "if hugetlbfs_mount is set in /etc/libvirt/qemu.conf, name it there too\n"
        f"then {RESTART}\n"
        f"{memfd if asked else ''}{TO_CHANGE}{virsh('edit', request.domain.name)}",
    )


def find_remarks(request: PerformanceRequest) -> Iterator[str]:
    """What is not done because this host does not know it; nothing is worse for it."""
    if lacking := request.asked.host_cpus - request.state.online:
        yield f"host_cpus: this PC has no CPUs {cpulist.write(lacking)}"
    if (request.asked.governor or request.asked.energy) and not request.policies:
        yield "governor, energy: this host does not scale the CPUs' frequency"
    elif request.asked.energy and all(p.energy is None for p in request.policies):
        yield "energy: the CPU frequency driver of this host has no energy preference"
    if request.asked.transparent_hugepages and request.state.transparent_hugepages is None:
        yield "transparent_hugepages: this kernel has none"


def early_steps(request: PerformanceRequest) -> Iterator[Step]:
    """Before the desktop ends: what can be refused, likeliest first, and what makes all faster.

    On the way back they are the last: the desktop is there by then.
    """
    pool = request.state.memory.pool
    if request.asked.hugepages is not None and pool is not None:
        pages = -(-request.hugepage_bytes // pool.size)
        if pages > pool.free:
            yield ReserveHugePages(pool.size, pages, RESERVE_SECONDS)
    mode = request.asked.transparent_hugepages
    if mode is not None and request.state.transparent_hugepages not in (None, mode):
        yield TransparentHugePages(mode)
    governor = request.asked.governor
    energy = request.asked.energy if any(p.energy is not None for p in request.policies) else None
    if request.policies and (governor or energy):
        yield SetFrequency(tuple(p.name for p in request.policies), governor, energy)


def late_steps(request: PerformanceRequest) -> Iterator[Step]:
    """After the devices have gone: the handoff itself may use all CPUs.

    On the way back they are the first: the display's driver must not set its interrupts up on
    the guest's CPUs, and the desktop starts on all of them.
    """
    cpus = cpulist.write(request.host_cpus)
    if cpus:
        for unit in HOST_UNITS:
            yield LimitUnit(unit, cpus, LIMIT_SECONDS)
    if request.asked.irqs_near:
        yield SetDefaultIrqAffinity(cpulist.write(request.guest_cpus))


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
