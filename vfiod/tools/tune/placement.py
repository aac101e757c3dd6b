"""Where a guest's virtual CPUs and QEMU's own threads run, and what the guest sees of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from vfiod.host.facts.cpu import Core, Topology
from vfiod.tools.tune.cores import Groups, by_node, candidates, select
from vfiod.util import cpulist


@dataclass(frozen=True, slots=True)
class Placement:
    """``pins`` gives the host CPUs of each vCPU; ``host`` those for QEMU's own threads.

    ``dies``, ``cores`` of each and ``threads`` are what the guest should see; ``node`` is the
    memory node of all pins, None if they are spread or the host has only one.
    """

    pins: tuple[tuple[int, ...], ...]
    host: tuple[int, ...]
    dies: int
    cores: int
    threads: int
    node: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Why this guest gets no cores of its own, and what would help."""

    reason: str
    remedy: str


def place(topology: Topology, vcpus: int, node: int | None = None) -> Placement | Unplaced:
    """Cores for a guest of so many vCPUs. ``node`` is the graphics card's, None if unknown."""
    aside, whole = candidates(topology)
    width = len(whole[0].cpus) if whole else 1
    threads = 1 if vcpus % width else width
    count = vcpus // threads
    pool = aside if len(aside) >= count else whole
    most = min(len(pool), len(topology.cores) - 1)
    if count > most:
        return _unplaced(topology, vcpus, most, width)
    choices = [select(topology, cores, count) for cores in by_node(pool, count, node)]
    return arrange(topology, min(choices, key=len), threads)


def arrange(topology: Topology, groups: Groups, threads: int) -> Placement:
    """The placement on these cores, cache by cache; ``threads`` vCPUs share one core."""
    cores = [core for group in groups for core in group]
    nodes = {core.node for core in cores}
    even = len({len(group) for group in groups}) == 1
    dies = len(groups) if even else 1
    return Placement(
        pins=tuple(pin for core in cores for pin in _pins(core, threads)),
        host=_left(topology, cores),
        dies=dies,
        cores=len(cores) // dies,
        threads=threads,
        node=min(nodes) if len(nodes) == 1 and len(topology.nodes) > 1 else None,
        why=_why(topology, groups),
    )


def _unplaced(topology: Topology, vcpus: int, most: int, width: int) -> Unplaced:
    if most < 1:
        return Unplaced("this host has one core", "it stays the host's; nothing is pinned")
    kind = "fast cores" if any(core.efficient for core in topology.cores) else "cores"
    even = ", an even number" if width > 1 else ""
    return Unplaced(
        f"{vcpus} vCPUs do not fit on {kind} of their own with one left for the host",
        f"at most {most * width} fit{even}: change <vcpu> in the definition",
    )


def _pins(core: Core, threads: int) -> list[tuple[int, ...]]:
    return [(cpu,) for cpu in core.cpus] if threads > 1 else [core.cpus]


def _left(topology: Topology, cores: Sequence[Core]) -> tuple[int, ...]:
    """CPUs for QEMU's own threads: not set aside at boot, on the guest's node if there are any."""
    others = [core for core in topology.cores if core not in cores]
    near = [core for core in others if core.node in {core.node for core in cores}]
    for choice in (near, others):
        left = {cpu for core in choice for cpu in core.cpus} - topology.isolated
        if left:
            return tuple(sorted(left))
    return tuple(sorted(cpu for core in others for cpu in core.cpus))


def _why(topology: Topology, groups: Groups) -> str:
    cores = [core for group in groups for core in group]
    cpus = cpulist.write([cpu for core in cores for cpu in core.cpus])
    kind = "fast core" if any(core.efficient for core in topology.cores) else "core"
    text = f"{len(cores)} {kind}{'s' if len(cores) > 1 else ''} (CPUs {cpus})"
    if len(groups) == 1:
        return f"{text} behind one cache"
    shares = "+".join(str(len(group)) for group in groups)
    nodes = len({core.node for core in cores})
    spread = f", and on {nodes} memory nodes" if nodes > 1 else ""
    return f"{text} behind {len(groups)} caches ({shares}), as no fewer hold so many{spread}"
