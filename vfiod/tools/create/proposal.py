"""How large a guest a person would make on this host, where they do not say. Pure.

A guest with the graphics card is the only one that somebody works with while it runs: it gets half
of the memory and all cores but what the host needs to serve it.
"""

from dataclasses import dataclass

from vfiod.host.facts.cpu import Topology
from vfiod.tools.create.system import System

_GIB = 2**30
_MOST_MEMORY = 32 * _GIB
_DISK = 100 * _GIB  # it grows to that; empty it takes nearly nothing
_SMALLEST_DISK = 32 * _GIB
_FEW_CORES = 4


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of a guest: ``memory`` and ``disk`` in bytes."""

    memory: int
    cpus: int
    disk: int


def propose(system: System, topology: Topology, memory: int, free: int) -> Sizes:
    """What to suggest. ``memory`` is the host's, ``free`` what the disk's place has left, in bytes;
    0 if unknown. It may be more than the host has: then the system's own minimum says so.
    """
    least = system.minimum
    return Sizes(
        memory=max(min(_whole(memory // 2), _MOST_MEMORY), least.memory),
        cpus=max(_cpus(topology), least.cpus),
        disk=max(min(_DISK, _whole(free * 4 // 5)) if free else _DISK, least.disk, _SMALLEST_DISK),
    )


def _whole(count: int) -> int:
    return count // _GIB * _GIB


def _cpus(topology: Topology) -> int:
    """Whole fast cores: those behind one cache if there are several, else all but one or two."""
    fast = [core for core in topology.cores if not core.efficient] or list(topology.cores)
    shared = [[core for core in fast if core.cache == n] for n in {core.cache for core in fast}]
    cores = max(shared, key=len, default=[])
    if len(cores) == len(topology.cores) or len(cores) <= 1:
        kept = 1 if len(fast) <= _FEW_CORES else 2
        cores = fast[: max(1, len(fast) - kept)]
    return sum(len(core.cpus) for core in cores) or 1
