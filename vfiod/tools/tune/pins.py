"""Pins that a guest already has: kept if they do their work, otherwise what is wrong with them.

Pure. The user may have reasons for other cores than ``place`` would choose; those stand.
"""

from dataclasses import replace
from itertools import groupby

from vfiod.host.facts.cpu import Topology
from vfiod.tools.tune.facts import Guest
from vfiod.tools.tune.placement import Placement, arrange
from vfiod.util import cpulist


def kept(guest: Guest, topology: Topology, best: Placement) -> Placement | str:
    """The guest's own pins as a placement, or the fault for which ``best`` is better."""
    return _missing(guest, topology) or _shared(guest) or _arranged(guest, topology, best)


def _missing(guest: Guest, topology: Topology) -> str:
    bare = [vcpu for vcpu in range(guest.vcpus) if not guest.pins.get(vcpu)]
    if bare:
        return f"vCPUs {cpulist.write(bare)} have no pin"
    absent = {cpu for pin in guest.pins.values() for cpu in pin} - topology.cpus
    return f"CPUs {cpulist.write(absent)} of its pins are not online" if absent else ""


def _shared(guest: Guest) -> str:
    owners: dict[int, int] = {}
    for vcpu, pin in sorted(guest.pins.items()):
        for cpu in pin:
            if cpu in owners:
                return f"vCPUs {owners[cpu]} and {vcpu} may both run on CPU {cpu}"
            owners[cpu] = vcpu
    return ""


def _arranged(guest: Guest, topology: Topology, best: Placement) -> Placement | str:
    """Pins go core by core: one vCPU for each core, or its threads one after the other."""
    core_of = {cpu: core for core in topology.cores for cpu in core.cpus}
    of_each = [[core_of[cpu] for cpu in guest.pins[vcpu]] for vcpu in range(guest.vcpus)]
    if any(len(set(cores)) > 1 for cores in of_each):
        return "a vCPU of it may move from one core to another"
    runs = [(core, len(list(run))) for core, run in groupby(cores[0] for cores in of_each)]
    cores, widths = [core for core, _ in runs], {width for _, width in runs}
    if len(set(cores)) < len(cores) or len(widths) > 1:
        return "its vCPUs do not follow the threads of the host's cores in order"
    if len(cores) == len(topology.cores):
        return "they leave the host no core"
    groups = [list(group) for _, group in groupby(cores, key=lambda core: core.cache)]
    needed = _caches(topology, best)
    if len(groups) > needed:
        return f"they go over {len(groups)} caches where {needed} would do"
    return replace(
        arrange(topology, groups, widths.pop()),
        pins=tuple(guest.pins[vcpu] for vcpu in range(guest.vcpus)),
        why="your own pins are kept",
    )


def _caches(topology: Topology, placement: Placement) -> int:
    pinned = {cpu for pin in placement.pins for cpu in pin}
    return len({core.cache for core in topology.cores if pinned.intersection(core.cpus)})
