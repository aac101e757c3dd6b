"""What the guest sees of the processor: all its instructions, caches and a steady clock. Pure.

Source: https://libvirt.org/formatdomain.html#cpu-model-and-topology
"""

from collections.abc import Iterator

from vfiod.host.facts.cpu import AMD
from vfiod.tools.tune.change import Change
from vfiod.tools.tune.edits import Drop, Put
from vfiod.tools.tune.facts import Guest, Host
from vfiod.tools.tune.placement import Placement

_MODE = (
    Put("cpu", {"mode": "host-passthrough", "match": None, "check": "none"}),
    Drop("cpu/model"),
    Drop("cpu/vendor"),
)
_STEADY = "nonstop_tsc"
_THREADS = "topoext"


def propose(guest: Guest, host: Host, placement: Placement | None) -> Iterator[Change]:
    """Changes of <cpu> other than its topology. Only KVM can pass a processor through."""
    if guest.emulated:
        return
    yield Change("cpu", "the guest sees this very processor and all its instructions", _MODE)
    cache = (Put("cpu/cache", {"mode": "passthrough", "level": None}),)
    yield Change("cpu", "the guest's scheduler knows the real sizes of the caches", cache)
    if host.topology.vendor == AMD and _has_threads(guest, host, placement):
        # QEMU: i386: Disable TOPOEXT by default on "-cpu host" (since 2.12.1 and 3.0).
        reason = "without topoext, which QEMU leaves out, the guest takes each thread for a core"
        yield Change("cpu", reason, (_require(_THREADS),))
    if guest.hostdevs and _STEADY in host.topology.flags:
        # It forbids migration, which the host's devices forbid anyway.
        reason = "the guest may take its clock from the time stamp counter (invtsc)"
        yield Change("cpu", reason, (_require("invtsc"),))


def _has_threads(guest: Guest, host: Host, placement: Placement | None) -> bool:
    """By what it is to see, or sees already where nothing is placed."""
    if placement is not None:
        return placement.threads > 1
    return guest.threads > 1 and _THREADS in host.topology.flags


def _require(feature: str) -> Put:
    return Put(f"cpu/feature[@name='{feature}']", {"policy": "require"})
