"""Settings of kernel and firmware that decide how fast a guest can be; readable without root.

Sources: kernel, Documentation/ABI/testing/sysfs-devices-system-cpu (smt, cpufreq),
Documentation/admin-guide/mm/hugetlbpage.rst and transhuge.rst,
Documentation/admin-guide/pm/amd-pstate.rst; parameters of kvm_amd and kvm_intel (modinfo).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vfiod.host.facts.hugetlbfs import read_mounted
from vfiod.util import sysfs

YES = ("Y", "1")
_KIB = 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """What the kernel says, None or empty where it says nothing.

    ``smt`` is on, off, forceoff, notsupported or notimplemented; ``hugepages`` the number of
    reserved pages by their size in KiB, ``mounted`` those sizes that libvirt finds a file system
    for; ``kvm`` the parameters of the module for this processor.
    """

    smt: str | None = None
    frequency_driver: str | None = None
    governor: str | None = None
    energy_preference: str | None = None
    clocksource: str | None = None
    transparent_hugepages: str | None = None
    hugepages: Mapping[int, int] = field(default_factory=dict)
    mounted: frozenset[int] = frozenset()
    kvm: Mapping[str, str] = field(default_factory=dict)

    @property
    def hardware_apic(self) -> bool:
        """True if the processor delivers a guest's interrupts itself (AVIC, APICv)."""
        return any(self.kvm.get(name) in YES for name in ("avic", "enable_apicv"))


def read_settings(root: Path = Path("/")) -> Settings:
    """The settings at this moment."""
    cpus = root / "sys/devices/system/cpu"
    frequency = cpus / "cpu0/cpufreq"
    return Settings(
        smt=sysfs.read(cpus / "smt/control"),
        frequency_driver=sysfs.read(frequency / "scaling_driver"),
        governor=sysfs.read(frequency / "scaling_governor"),
        energy_preference=sysfs.read(frequency / "energy_performance_preference"),
        clocksource=sysfs.read(
            root / "sys/devices/system/clocksource/clocksource0/current_clocksource"
        ),
        transparent_hugepages=_chosen(root / "sys/kernel/mm/transparent_hugepage/enabled"),
        hugepages=_hugepages(root / "sys/kernel/mm/hugepages"),
        mounted=frozenset(size // _KIB for size in read_mounted(root)),
        kvm=_parameters(root / "sys/module"),
    )


def _chosen(path: Path) -> str | None:
    """The word in brackets of ``always [madvise] never``."""
    words = (sysfs.read(path) or "").split()
    return next((word.strip("[]") for word in words if word.startswith("[")), None)


def _hugepages(folder: Path) -> Mapping[int, int]:
    pages = {}
    for name in sysfs.names(folder):
        size = name.removeprefix("hugepages-").removesuffix("kB")
        count = sysfs.read(folder / name / "nr_hugepages") or ""
        if size.isdigit() and count.isdigit():
            pages[int(size)] = int(count)
    return pages


def _parameters(modules: Path) -> Mapping[str, str]:
    folders = [modules / name / "parameters" for name in ("kvm_amd", "kvm_intel")]
    return {
        name: value
        for folder in folders
        for name in sysfs.names(folder)
        if (value := sysfs.read(folder / name)) is not None
    }
