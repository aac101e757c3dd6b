"""All that could be tuned of one guest on this host, in the order it is shown. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vfiod.tools.tune import clock, disks, hidden, hyperv, memory, pinning, processor
from vfiod.tools.tune.change import Change
from vfiod.tools.tune.facts import Guest, Host, read_guest
from vfiod.tools.tune.pins import kept
from vfiod.tools.tune.placement import Placement, Unplaced, place
from vfiod.util.typed import virsh


@dataclass(frozen=True, slots=True)
class CpuPlacement:
    """Where a guest runs: its own pins if they are good; ``fault`` says why they are not.

    ``placement`` is None if there is no room, for the reason in ``unplaced``.
    """

    placement: Placement | None
    fault: str = ""
    unplaced: Unplaced | None = None


def cpu_placement(guest: Guest, host: Host) -> CpuPlacement:
    """The cores of a guest: those it has, else those it should have."""
    if "pinning" in guest.left:
        return CpuPlacement(None)
    if guest.emulated:
        # All vCPUs are one thread, and a start with pins for them fails
        # (libvirt: qemuDomainRefreshVcpuInfo in src/qemu/qemu_domain.c).
        return CpuPlacement(None)
    best = place(host.topology, guest.vcpus, host.card_node)
    if isinstance(best, Unplaced):
        return CpuPlacement(None, unplaced=_plugged_later(guest, host) or best)
    own = kept(guest, host.topology, best)
    return CpuPlacement(best, fault=own) if isinstance(own, str) else CpuPlacement(own)


def _plugged_later(guest: Guest, host: Host) -> Unplaced | None:
    """What helps if only those would fit that are there at its start."""
    fit = guest.plugged < guest.vcpus and place(host.topology, guest.plugged, host.card_node)
    if not isinstance(fit, Placement):
        return None
    return Unplaced(
        f"{guest.plugged} of {guest.vcpus} vCPUs are plugged in at its start, and {guest.vcpus} do "
        "not fit",
        f"make them one number, <vcpu>{guest.plugged}</vcpu>: {virsh('edit', guest.name)}",
    )


def propose(root: Any, host: Host) -> Iterator[Change]:
    """Every change, whether it is made already or not: give them to ``change.pending``.

    ``root`` is the domain's tree, which is only read. Raises DomainError.
    """
    guest = read_guest(root)
    yield from (one for one in _all(guest, root, host) if one.name not in guest.left)


def _all(guest: Guest, root: Any, host: Host) -> Iterator[Change]:
    here = cpu_placement(guest, host)
    yield from processor.propose(guest, host, here.placement)
    if here.placement is not None:
        yield from pinning.topology(here.placement, here.fault)
        yield from pinning.pins(guest, host, here.placement, here.fault)
    yield from clock.propose(guest, host)
    yield from hyperv.propose(guest, host, root)
    yield from hidden.propose(guest, host, root)
    yield from memory.propose(guest, host)
    yield from disks.propose(guest, root, here.placement)
