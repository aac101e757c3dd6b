"""The processors of this machine: cores, their hardware threads, caches, memory nodes.

Sources: kernel, Documentation/ABI/stable/sysfs-devices-system-cpu (topology, cache), cputopology
(online, isolated); Documentation/ABI/testing/sysfs-bus-event_source-devices for ``cpus`` of the
performance counters, of which a hybrid Intel processor has a set for each kind of core.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vfiod.util import cpulist, sysfs

# A core this much slower than the fastest is an efficient one. Favoured cores of one kind differ
# by far less (Ryzen 9 7950X: 5.2 to 5.85 GHz), kinds by more (Core i9-12900K: 3.9 to 5.2 GHz).
SLOW = 0.8
AMD = "AuthenticAMD"
INTEL = "GenuineIntel"


@dataclass(frozen=True, slots=True)
class Core:
    """One physical core. ``cpus`` are its hardware threads by the kernel's numbers, ascending;
    ``cache`` is the number of its last-level cache in ``Topology.caches``; ``efficient`` marks
    the slower kind on a machine that has two.
    """

    cpus: tuple[int, ...]
    package: int = 0
    node: int = 0
    cache: int = 0
    efficient: bool = False


@dataclass(frozen=True, slots=True)
class Topology:
    """All online cores by their first CPU, and what the processor is.

    ``caches`` gives the size in bytes of each last-level cache (0 = unknown); ``isolated`` the
    CPUs that ``isolcpus=`` keeps the scheduler off; ``flags`` those of /proc/cpuinfo.
    """

    vendor: str
    model: str
    flags: frozenset[str]
    cores: tuple[Core, ...]
    caches: tuple[int, ...]
    isolated: frozenset[int] = frozenset()

    @property
    def cpus(self) -> frozenset[int]:
        """Every online CPU."""
        return frozenset(cpu for core in self.cores for cpu in core.cpus)

    @property
    def nodes(self) -> frozenset[int]:
        """Memory nodes that have CPUs."""
        return frozenset(core.node for core in self.cores)


@dataclass(frozen=True, slots=True)
class _Cpu:
    """What one CPU's directory says."""

    number: int
    siblings: tuple[int, ...]
    package: int
    cache: str
    cache_bytes: int
    speed: int


def read_topology(root: Path = Path("/")) -> Topology:
    """The processors as they are now; CPUs that are offline do not count."""
    folder = root / "sys/devices/system/cpu"
    online = _list(folder / "online")
    cpus = [_cpu(folder / f"cpu{number}", number) for number in online]
    caches = list(dict.fromkeys(cpu.cache for cpu in cpus))
    sizes = {cpu.cache: cpu.cache_bytes for cpu in cpus}
    nodes = _nodes(root)
    efficient = _efficient(root, cpus)
    cores = {
        cpu.siblings: Core(
            cpus=cpu.siblings,
            package=cpu.package,
            node=nodes.get(cpu.number, 0),
            cache=caches.index(cpu.cache),
            efficient=cpu.number in efficient,
        )
        for cpu in cpus
    }
    info = _first_processor(root)
    return Topology(
        vendor=info.get("vendor_id", ""),
        model=info.get("model name", ""),
        flags=frozenset(info.get("flags", "").split()),
        cores=tuple(sorted(cores.values(), key=lambda core: core.cpus)),
        caches=tuple(sizes[cache] for cache in caches),
        isolated=frozenset(_list(folder / "isolated")),
    )


def _cpu(folder: Path, number: int) -> _Cpu:
    topology = folder / "topology"
    # thread_siblings_list is the older name of core_cpus_list, still there.
    siblings = _list(topology / "thread_siblings_list") or (number,)
    cache, size = _last_cache(folder / "cache", siblings)
    speed = sysfs.read(folder / "cpu_capacity") or sysfs.read(folder / "cpufreq/cpuinfo_max_freq")
    package = int(sysfs.read(topology / "physical_package_id") or 0)
    return _Cpu(number, siblings, package, cache, size, int(speed or 0))


def _last_cache(folder: Path, siblings: tuple[int, ...]) -> tuple[str, int]:
    """Identity and bytes of the cache of the highest level; without any, each core is its own.

    The id is preferred: kernels before 4.14 gave wrong lists for processors with fused-off cores
    (Ryzen 5 1600), but right ids (github.com/util-linux/util-linux/issues/551).
    """
    levels = {sysfs.read(folder / i / "level") or "": folder / i for i in sysfs.names(folder)}
    if not any(levels):
        return f"core {siblings}", 0
    last = levels[max(levels)]
    identity = sysfs.read(last / "id") or sysfs.read(last / "shared_cpu_list") or str(siblings)
    size = sysfs.read(last / "size") or ""
    return f"{max(levels)}:{identity}", int(size.removesuffix("K") or 0) * 1024


def _nodes(root: Path) -> Mapping[int, int]:
    folder = root / "sys/devices/system/node"
    names = [name for name in sysfs.names(folder) if name.removeprefix("node").isdigit()]
    return {
        cpu: int(name.removeprefix("node"))
        for name in names
        for cpu in _list(folder / name / "cpulist")
    }


def _efficient(root: Path, cpus: list[_Cpu]) -> frozenset[int]:
    atoms = _list(root / "sys/devices/cpu_atom/cpus")
    if atoms:
        return frozenset(atoms)
    fastest = max((cpu.speed for cpu in cpus), default=0)
    return frozenset(cpu.number for cpu in cpus if cpu.speed < SLOW * fastest)


def _first_processor(root: Path) -> Mapping[str, str]:
    first = (sysfs.read(root / "proc/cpuinfo") or "").split("\n\n", 1)[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _list(path: Path) -> tuple[int, ...]:
    try:
        return tuple(sorted(cpulist.parse(sysfs.read(path) or "")))
    except ValueError:
        return ()
