"""Each virtual CPU on a hardware thread of its own, and a guest that knows which are one core.

Pure. Source: https://libvirt.org/formatdomain.html#cpu-tuning
"""

from collections.abc import Iterator

from vfiod.tools.tune.change import Change
from vfiod.tools.tune.edits import Drop, Put
from vfiod.tools.tune.facts import Guest, Host
from vfiod.tools.tune.placement import Placement
from vfiod.util import cpulist


def topology(placement: Placement, fault: str) -> Iterator[Change]:
    """The guest's own idea of its cores, which is true only if it is pinned to them."""
    shape = Put(
        "cpu/topology",
        {
            "sockets": "1",
            "dies": str(placement.dies),
            "cores": str(placement.cores),
            "threads": str(placement.threads),
        },
    )
    reason = f"the guest is to see what it runs on: {_shape(placement)}"
    yield Change("topology", reason, (shape,), needs="pinning" if fault else None)


def pins(guest: Guest, host: Host, placement: Placement, fault: str) -> Iterator[Change]:
    """Pins of vCPUs and QEMU's own threads. ``fault`` is what is wrong with those there are."""
    because = f"; now {fault}" if fault and guest.pins else ""
    extra = [vcpu for vcpu in guest.pins if vcpu >= guest.vcpus]
    yield Change(
        "pinning",
        f"vCPUs on {placement.why}{because}",
        (
            *(
                Put(f"cputune/vcpupin[@vcpu='{vcpu}']", {"cpuset": cpulist.write(pin)})
                for vcpu, pin in enumerate(placement.pins)
            ),
            *(Drop(f"cputune/vcpupin[@vcpu='{vcpu}']") for vcpu in extra),
        ),
    )
    yield from _emulator(guest, placement)
    yield from _memory(guest, host, placement)


def _emulator(guest: Guest, placement: Placement) -> Iterator[Change]:
    taken = {cpu for pin in placement.pins for cpu in pin}
    if not guest.emulator or taken.intersection(guest.emulator):
        reason = "QEMU's own threads stay off the guest's CPUs"
        where = cpulist.write(placement.host)
        yield Change("pinning", reason, (Put("cputune/emulatorpin", {"cpuset": where}),))


def _memory(guest: Guest, host: Host, placement: Placement) -> Iterator[Change]:
    """Preferred, not strict: a start shall not fail because another program took that memory.

    What the user says of nodes stays, unless it is a wrong one by its number.
    """
    own = guest.memory_nodes
    if placement.node is None or own == () or own == (placement.node,):
        return
    mode = {"mode": "preferred"} if own is None else {}
    card = " and the card is" if placement.node == host.card_node else ""
    yield Change(
        "pinning",
        f"memory from node {placement.node}, where the vCPUs run{card}",
        (Put("numatune/memory", mode | {"nodeset": str(placement.node)}),),
    )


def _shape(placement: Placement) -> str:
    dies = f"{placement.dies} dies of " if placement.dies > 1 else ""
    cores = f"{placement.cores} core{'s' if placement.cores > 1 else ''}"
    threads = f"{placement.threads} threads each" if placement.threads > 1 else "one thread"
    return f"{dies}{cores} with {threads}"
