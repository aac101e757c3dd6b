"""Hyper-V enlightenments: ways for Windows to ask KVM for a thing instead of trying it out. Pure.

Sources: https://libvirt.org/formatdomain.html#hypervisor-features for names and first versions,
QEMU's docs/system/i386/hyperv.rst for what each does and needs. ``avic`` only where the processor
delivers interrupts itself, which synic alone would switch off. Left out on purpose:
reenlightenment (for migration only), evmcs (for Hyper-V inside the guest only).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vfiod.tools.tune.change import Change
from vfiod.tools.tune.edits import Put
from vfiod.tools.tune.facts import Guest, Host

_ON = {"state": "on"}


@dataclass(frozen=True, slots=True)
class Enlightenment:
    """``libvirt`` and ``qemu`` are the first versions that know it, as libvirt counts them."""

    name: str
    reason: str
    libvirt: int
    qemu: int


KNOWN = (
    Enlightenment("relaxed", "no blue screen when a vCPU is late", 1_000_000, 2_000_000),
    Enlightenment("vapic", "an interrupt ends without leaving the guest", 1_001_000, 2_000_000),
    Enlightenment("spinlocks", "who waits for a lock lets others run", 1_001_000, 2_000_000),
    Enlightenment("vpindex", "vCPUs have numbers, for synic and ipi", 1_003_003, 2_005_000),
    Enlightenment("runtime", "Windows knows when its vCPUs did not run", 1_003_003, 2_005_000),
    Enlightenment("synic", "interrupts as messages, for stimer", 1_003_003, 2_006_000),
    Enlightenment("stimer", "timers cheaper than emulated ones", 1_003_003, 2_006_000),
    Enlightenment("reset", "a restart is one call", 1_003_003, 2_005_000),
    Enlightenment("frequencies", "clock rates need no measuring", 4_007_000, 2_012_000),
    Enlightenment("tlbflush", "no waiting for vCPUs that do not run", 4_007_000, 3_000_000),
    Enlightenment("ipi", "one call interrupts many vCPUs", 4_010_000, 3_001_000),
)
# Windows gives up spinning and asks KVM after so many tries (QEMU: hv-spinlocks).
_RETRIES = "8191"


def propose(guest: Guest, host: Host, root: Any) -> Iterator[Change]:
    """The enlightenments this Windows guest lacks and this libvirt, QEMU and KVM have."""
    hyperv = root.find("features/hyperv")
    if not guest.windows or guest.emulated or _is_passthrough(hyperv):
        return
    for known in KNOWN:
        is_known = host.libvirt >= known.libvirt and host.qemu >= known.qemu
        if is_known and host.offers(known.name):
            yield Change("hyperv", f"{known.name}: {known.reason}", _edits(known.name, root))
    has_avic = host.libvirt >= 8_010_000 and host.qemu >= 6_002_000 and host.offers("avic")
    if host.settings.hardware_apic and has_avic:
        reason = "avic: synic leaves the hardware's interrupts on"
        yield Change("hyperv", reason, _edits("avic", root))
    if host.libvirt >= 5_007_000 and host.qemu >= 4_001_000 and host.offers("stimer"):
        direct = Put("features/hyperv/stimer/direct", _ON)
        yield Change(
            "hyperv", "stimer direct: a timer ends in an interrupt, not a message", (direct,)
        )


def not_offered(guest: Guest, host: Host, root: Any) -> list[str]:
    """Those that are on in the definition and that KVM here does not have: QEMU would not start."""
    hyperv = root.find("features/hyperv")
    if guest.emulated or hyperv is None or _is_passthrough(hyperv) or "hyperv" in guest.left:
        return []
    names = [known.name for known in KNOWN]
    on = [str(e.tag) for e in hyperv.iterchildren("*") if e.get("state") == "on"]
    return [name for name in on if name in names and not host.offers(name)]


def _is_passthrough(hyperv: Any) -> bool:
    """Everything KVM offers is on already (since libvirt 8.0)."""
    return hyperv is not None and hyperv.get("mode") == "passthrough"


def _edits(name: str, root: Any) -> tuple[Put, ...]:
    """What turns it on. QEMU does not start with stimer and without Hyper-V's clock."""
    feature = f"features/hyperv/{name}"
    if name == "spinlocks":
        own = root.find(f"{feature}[@retries]")
        retries = _RETRIES if own is None else own.get("retries")
        return (Put(feature, _ON | {"retries": retries}),)
    if name == "stimer":
        clock = Put("clock/timer[@name='hypervclock']", {"present": "yes"})
        return (Put(feature, _ON), clock)
    return (Put(feature, _ON),)
