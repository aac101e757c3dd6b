"""Choosing host cores for a guest: within as few last-level caches as possible. Pure.

Cores that share a cache exchange data without leaving it, and a guest that is spread over
several pays for every exchange. Among equal choices the larger cache wins, then the one that
leaves the host its first core, where the boot CPU and most interrupts are.
"""

from collections.abc import Sequence

from vfiod.host.facts.cpu import Core, Topology

Groups = Sequence[Sequence[Core]]


def candidates(topology: Topology) -> list[list[Core]]:
    """The pools to choose from, best first: cores set aside at boot, then all.

    Of both only fast ones with all their threads: a guest cannot be shown cores of two kinds.
    """
    fast = [core for core in topology.cores if not core.efficient] or topology.cores
    widest = max((len(core.cpus) for core in fast), default=0)
    whole = [core for core in fast if len(core.cpus) == widest]
    return [[core for core in whole if topology.isolated.issuperset(core.cpus)], whole]


def by_node(pool: Sequence[Core], count: int, node: int | None) -> list[Sequence[Core]]:
    """The cores of each memory node that has enough: of ``node`` alone if it has. Else all."""
    nodes = sorted({core.node for core in pool}, reverse=True)
    local = {n: [core for core in pool if core.node == n] for n in nodes}
    fitting = {n: cores for n, cores in local.items() if len(cores) >= count}
    if node is not None and node in fitting:
        return [fitting[node]]
    return [*fitting.values()] or [pool]


def select(topology: Topology, pool: Sequence[Core], count: int) -> Groups:
    """``count`` cores of the pool, which must have as many, in a group for each cache.

    An even share of each cache is tried before an uneven one: only that can be shown to a guest.
    """
    caches = [[c for c in pool if c.cache == n] for n in sorted({c.cache for c in pool})]
    for span in range(1, len(caches) + 1):
        found = _evenly(topology, caches, count, span) or _filled(topology, caches, count, span)
        if found:
            return sorted(found, key=lambda group: group[0].cpus)
    raise ValueError(f"{count} cores wanted of {len(pool)}")


def _evenly(topology: Topology, caches: Groups, count: int, span: int) -> list[Sequence[Core]]:
    share, rest = divmod(count, span)
    fitting = [cache for cache in caches if len(cache) >= share]
    if rest or len(fitting) < span:
        return []
    first = topology.cores[0]
    ranked = sorted(fitting, key=lambda c: (-_bytes(topology, c), first in c[-share:], -c[0].cache))
    return [cache[-share:] for cache in ranked[:span]]


def _filled(topology: Topology, caches: Groups, count: int, span: int) -> list[Sequence[Core]]:
    """Whole caches and a part of the last one; empty if so many caches are too few."""
    first = topology.cores[0]
    ranked = sorted(caches, key=lambda c: (first in c, -_bytes(topology, c), -c[0].cache))
    chosen: list[Sequence[Core]] = []
    for cache in ranked[:span]:
        chosen.append(cache[-(count - sum(map(len, chosen))) :])
    return chosen if sum(map(len, chosen)) == count else []


def _bytes(topology: Topology, cache: Sequence[Core]) -> int:
    return topology.caches[cache[0].cache]
