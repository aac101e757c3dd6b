"""Settings of the kernel read from a tree."""

from pathlib import Path

from tests.fakes.tree import grow
from vfiod.host.facts.performance import Settings, read_settings


def test_everything_is_read(tmp_path: Path) -> None:
    cpus = "sys/devices/system/cpu"
    pages = "sys/kernel/mm/hugepages"
    grow(
        tmp_path,
        {
            f"{cpus}/smt/control": "on\n",
            f"{cpus}/cpu0/cpufreq/scaling_driver": "amd-pstate-epp\n",
            f"{cpus}/cpu0/cpufreq/scaling_governor": "powersave\n",
            f"{cpus}/cpu0/cpufreq/energy_performance_preference": "balance_power\n",
            "sys/devices/system/clocksource/clocksource0/current_clocksource": "hpet\n",
            "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
            f"{pages}/hugepages-2048kB/nr_hugepages": "4096\n",
            f"{pages}/hugepages-1048576kB/nr_hugepages": "0\n",
            "sys/module/kvm_amd/parameters/avic": "N\n",
            "proc/meminfo": "Hugepagesize:    2048 kB\n",
            "proc/self/mountinfo": "36 24 0:32 / /dev/hugepages rw - hugetlbfs x rw,pagesize=2M\n",
        },
    )
    assert read_settings(tmp_path) == Settings(
        smt="on",
        frequency_driver="amd-pstate-epp",
        governor="powersave",
        energy_preference="balance_power",
        clocksource="hpet",
        transparent_hugepages="madvise",
        hugepages={2048: 4096, 1048576: 0},
        mounted=frozenset({2048}),
        kvm={"avic": "N"},
    )


def test_a_kernel_that_says_nothing(tmp_path: Path) -> None:
    assert read_settings(tmp_path) == Settings()


def test_interrupts_by_the_hardware() -> None:
    assert Settings(kvm={"avic": "1"}).hardware_apic
    assert Settings(kvm={"enable_apicv": "Y"}).hardware_apic
    assert not Settings(kvm={"avic": "N", "npt": "Y"}).hardware_apic
