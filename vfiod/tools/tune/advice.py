"""What keeps a guest slow and no edit of its definition can change. Pure.

Sources are those of vfiod.host.facts.performance; AVIC and NPT: kernel, arch/x86/kvm/svm/.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vfiod.host.facts.performance import YES, Settings
from vfiod.paths import CONFIG
from vfiod.tools.tune import hyperv, leave
from vfiod.tools.tune.facts import Guest, Host
from vfiod.tools.tune.memory import fits, page_size, sizes_there
from vfiod.tools.tune.proposals import CpuPlacement
from vfiod.util import cpulist
from vfiod.util.hugepages import RESTART, UNMOUNTED, shown, to_mount
from vfiod.util.typed import virsh

_EMULATED_BUSES = ("ide", "sata")
_KIB = 1024
_SMALLEST_KIB = 2048
_KEYS = {"governor": "the frequency governor", "energy": "the energy preference"}
_SMALL_WINDOW = 256 * 2**20  # what a card has before its BAR is resized


@dataclass(frozen=True, slots=True)
class Advice:
    """``fact`` is what is so, ``remedy`` what to do; ``firmware`` if that is not in Linux."""

    name: str
    fact: str
    remedy: str
    firmware: bool = False


def advise(guest: Guest, root: Any, host: Host, cpu_placement: CpuPlacement) -> Iterator[Advice]:
    """Everything found, the heaviest first."""
    if guest.emulated:
        yield Advice(
            "kvm",
            "the guest is emulated instruction by instruction (type='qemu')",
            f"where /dev/kvm exists, make it <domain type='kvm'>: {virsh('edit', guest.name)}",
        )
    is_macos = guest.left.get("topology") == leave.MACOS
    if cpu_placement.unplaced is not None and not is_macos:  # which needs its number of CPUs
        yield Advice("pinning", cpu_placement.unplaced.reason, cpu_placement.unplaced.remedy)
    yield from _hyperv(guest, root, host)
    yield from _kvm(host)
    yield from _pages(guest, host)
    yield from _host_cpus(guest, host, cpu_placement)
    yield from _frequency(guest, host)
    yield from _clock(host.settings)
    yield from _smt(host.settings)
    yield from _window(host)
    if not is_macos:  # which has no such driver to install
        yield from _disks(root)
    yield from _hypervisor_bit(root)


def unseen(settings: Settings) -> Iterator[str]:
    """What only a look into the firmware's settings can tell."""
    yield "whether the memory runs at its rated speed: look for a memory profile (XMP, EXPO)"
    if settings.smt == "notsupported":
        yield "whether the processor could run two threads on a core: look for SMT, Hyper-Threading"


def _hyperv(guest: Guest, root: Any, host: Host) -> Iterator[Advice]:
    """Not taken out without asking: what libvirt offers may have been looked up without KVM."""
    if names := hyperv.not_offered(guest, host, root):
        fact = f"libvirt says that this host's KVM does not have: {', '.join(names)}"
        remedy = "if the guest does not start, take them out of <hyperv>: "
        remedy += virsh("edit", guest.name)
        yield Advice("hyperv", fact, remedy)


def _kvm(host: Host) -> Iterator[Advice]:
    kvm, flags = host.settings.kvm, host.topology.flags
    for name, module in (("npt", "kvm_amd"), ("ept", "kvm_intel")):
        if name in kvm and kvm[name] not in YES:
            yield _parameter(module, name, "the guest's page tables are kept in software")
    if "avic" in flags and "avic" in kvm and kvm["avic"] not in YES:
        yield _parameter("kvm_amd", "avic", "every interrupt of the guest goes through KVM")
    if "enable_apicv" in kvm and kvm["enable_apicv"] not in YES:
        fact = "interrupts of the guest go through KVM (APICv is off or this processor has none)"
        yield Advice("kvm", fact, "nothing, unless enable_apicv=0 was set: then take it out")


def _parameter(module: str, name: str, fact: str) -> Advice:
    remedy = f"put 'options {module} {name}=1' into a file of /etc/modprobe.d and reboot"
    return Advice("kvm", f"{fact} ({module} {name} is off)", remedy)


def _pages(guest: Guest, host: Host) -> Iterator[Advice]:
    if guest.hugepages or "hugepages" in guest.left or page_size(guest, host) is not None:
        return
    if not fits(guest, _SMALLEST_KIB):
        odd = next(piece for piece in guest.pieces if piece % _SMALLEST_KIB)
        fact = f"{odd} KiB of memory are no whole number of 2 MiB pages"
        yield Advice("hugepages", fact, "make it a multiple of 2 MiB")
    elif there := sizes_there(guest, host):
        size = there[0] * _KIB
        fact = f"huge pages of {shown(size)} are there for this guest, and {UNMOUNTED}"
        remedy = f"mount one: {to_mount(size)}; then {RESTART}, then: {_again(guest)}"
        yield Advice("hugepages", fact, remedy)
    else:
        pages = guest.memory_kib // _SMALLEST_KIB
        remedy = f"sudo sysctl vm.nr_hugepages={pages} early after boot, then: {_again(guest)}"
        if host.asked is not None:
            remedy = f"{_add('hugepages: auto', guest)}, then: {_again(guest)}"
        yield Advice("hugepages", "not enough hugepages are reserved for this guest", remedy)
    if host.settings.transparent_hugepages == "never":
        remedy = "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"
        yield Advice("hugepages", "transparent hugepages are off as well", remedy)


def _host_cpus(guest: Guest, host: Host, cpu_placement: CpuPlacement) -> Iterator[Advice]:
    """The guest has its CPUs for itself only if the host's programs are kept off them."""
    if host.asked is None or cpu_placement.placement is None:
        return
    pinned = {cpu for pin in cpu_placement.placement.pins for cpu in pin}
    line = f'host_cpus: "{cpulist.write(host.topology.cpus - pinned)}"'
    if not host.asked.host_cpus:
        fact = "programs of the host may run on the guest's CPUs"
        yield Advice("pinning", fact, _add(line, guest))
    elif both := host.asked.host_cpus & pinned:
        fact = f"host_cpus keeps CPUs {cpulist.write(both)} for the host: the guest is pinned there"
        yield Advice("pinning", fact, f"make it {line} in {CONFIG}")


def _frequency(guest: Guest, host: Host) -> Iterator[Advice]:
    """With an energy preference the governor powersave is normal, and the preference counts."""
    settings, asked = host.settings, host.asked
    if asked is not None and (asked.governor or asked.energy):
        return
    key, value, slow = "governor", settings.governor, ("powersave", "conservative")
    if settings.energy_preference is not None:
        key, value, slow = "energy", settings.energy_preference, ("balance_power", "power")
    if value in slow:
        remedy = "while the guest runs: cpupower frequency-set -g performance"
        if asked is not None:
            remedy = _add(f"{key}: performance", guest)
        yield Advice("frequency", f"{_KEYS[key]} is {value}: cores speed up late", remedy)


def _again(guest: Guest) -> str:
    return f"sudo vfiod tune {shlex.quote(guest.name)}"


def _add(line: str, guest: Guest) -> str:
    return f"add {line} below performance: of {guest.name} in {CONFIG}"


def _clock(settings: Settings) -> Iterator[Advice]:
    if settings.clocksource not in (None, "tsc", "kvm-clock"):
        fact = f"the host's clock is {settings.clocksource}, not the processor's counter (tsc)"
        remedy = "see why in: sudo journalctl -k -b -g tsc; often an update of the firmware helps"
        yield Advice("clock", fact, remedy, firmware=True)


def _smt(settings: Settings) -> Iterator[Advice]:
    if settings.smt == "off":
        switch = "echo on | sudo tee /sys/devices/system/cpu/smt/control"
        remedy = f"{switch}; or take nosmt out of the command line"
        yield Advice("smt", "SMT is switched off by the kernel", remedy)
    elif settings.smt == "forceoff":
        yield Advice("smt", "SMT is forced off", "take nosmt=force out of the command line")


def _window(host: Host) -> Iterator[Advice]:
    for device in host.devices:
        if device.is_display and device.resizable and device.window <= _SMALL_WINDOW:
            fact = f"the processor sees only {device.window // 2**20} MiB of {device.address}"
            remedy = "turn on Above 4G Decoding and Resizable BAR in the firmware"
            yield Advice("bar", fact, remedy, firmware=True)


def _disks(root: Any) -> Iterator[Advice]:
    for disk in root.iterfind("devices/disk"):
        target = disk.find("target")
        bus = None if target is None else target.get("bus")
        if disk.get("device", "disk") == "disk" and bus in _EMULATED_BUSES:
            fact = f"disk {target.get('dev')} is on an emulated {bus.upper()} controller"
            remedy = "install the guest's virtio driver first, then change its bus to virtio"
            yield Advice("disk", fact, remedy)


def _hypervisor_bit(root: Any) -> Iterator[Advice]:
    bit = root.find("cpu/feature[@name='hypervisor']")
    if bit is not None and bit.get("policy") in ("disable", "forbid"):
        fact = "the guest may not see that it is one (feature hypervisor), so it uses none of this"
        remedy = "if no program of yours needs that, take the line out of the definition"
        yield Advice("hidden", fact, remedy)
