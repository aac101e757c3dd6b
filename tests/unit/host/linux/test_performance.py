"""CPUs, their units and huge pages on trees of files and a small bus."""

from pathlib import Path

import pytest

from tests.fakes.bus import BusUnit, FakeBus
from tests.fakes.tree import grow
from vfiod.errors import HostError
from vfiod.host.linux import attributes
from vfiod.host.linux.cpus import LinuxCpus
from vfiod.host.linux.hugepages import LinuxHugePages
from vfiod.host.linux.slices import LinuxSlices
from vfiod.host.performance import FrequencyPolicy, HugePagePool

CPUFREQ = "sys/devices/system/cpu/cpufreq"
POOLS = "sys/kernel/mm/hugepages"


# Writing


def test_an_attribute_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "governor").write_text("powersave\n")
    attributes.write(tmp_path / "governor", "performance")
    assert (tmp_path / "governor").read_text() == "performance"


@pytest.mark.parametrize(
    ("path", "reason"), [("/dev/full", "No space left"), ("/nowhere/x", "No such file")]
)
def test_the_kernel_s_reason_is_told(path: str, reason: str) -> None:
    with pytest.raises(HostError, match=f"the kernel refused '1' for {path}: {reason}"):
        attributes.write(Path(path), "1")


def test_no_attribute_is_made_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(HostError):
        attributes.write(tmp_path / "governor", "performance")
    assert list(tmp_path.iterdir()) == []


# Units


@pytest.mark.parametrize(
    ("cpus", "mask"),
    [
        (set(), []),
        ({0}, [1]),
        ({0, 1, 12, 13}, [0x03, 0x30]),
        ({7, 8}, [0x80, 0x01]),
        ({63}, [0, 0, 0, 0, 0, 0, 0, 0x80]),
    ],
)
def test_cpus_are_bits_on_the_bus(cpus: set[int], mask: list[int]) -> None:
    bus = FakeBus()
    bus.units["system.slice"] = BusUnit("system.slice")
    slices = LinuxSlices(bus)
    slices.set_allowed_cpus("system.slice", cpus)
    assert bus.units["system.slice"].cpus == mask
    assert slices.allowed_cpus("system.slice") == cpus


def test_a_limit_is_lifted_by_allowing_every_cpu_there_may_be(tmp_path: Path) -> None:
    grow(tmp_path, {"sys/devices/system/cpu/possible": "0-11\n"})
    bus = FakeBus()
    slices = LinuxSlices(bus, tmp_path)
    slices.set_allowed_cpus("system.slice", {0})
    slices.set_allowed_cpus("system.slice", set())
    assert slices.allowed_cpus("system.slice") == set()
    assert slices.effective("system.slice") == set(range(12))


def test_a_mask_with_bytes_to_spare_is_read() -> None:
    """systemd sends as many bytes as its own set has, a multiple of eight."""
    bus = FakeBus()
    bus.units["init.scope"] = BusUnit("init.scope", cpus=[0b101, 0, 0, 0, 0, 0, 0, 0])
    assert LinuxSlices(bus).allowed_cpus("init.scope") == {0, 2}


@pytest.mark.parametrize(
    ("controllers", "can"), [("cpuset cpu io\n", True), ("cpu io\n", False), (None, False)]
)
def test_control_groups_with_cpusets(*, tmp_path: Path, controllers: str | None, can: bool) -> None:
    if controllers is not None:
        grow(tmp_path, {"sys/fs/cgroup/cgroup.controllers": controllers})
    assert LinuxSlices(FakeBus(), tmp_path).can_limit() is can


# CPUs


def policy(number: int, **attributes: str) -> dict[str, str]:
    files = {
        "affected_cpus": f"{number}\n",
        "scaling_governor": "powersave\n",
        "scaling_available_governors": "performance powersave\n",
    }
    return {f"{CPUFREQ}/policy{number}/{name}": text for name, text in (files | attributes).items()}


def test_policies_are_read(tmp_path: Path) -> None:
    grow(
        tmp_path,
        {
            **policy(0, affected_cpus="0 1 12\n", scaling_governor="schedutil\n"),
            **policy(
                2,
                energy_performance_preference="balance_power\n",
                energy_performance_available_preferences="default performance power \n",
            ),
            f"{CPUFREQ}/boost": "1\n",
        },
    )
    choices = ("performance", "powersave")
    assert LinuxCpus(tmp_path).frequencies() == [
        FrequencyPolicy("policy0", frozenset({0, 1, 12}), "schedutil", choices),
        FrequencyPolicy(
            "policy2", frozenset({2}), "powersave", choices, "balance_power",
            ("default", "performance", "power"),
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("attribute", ["affected_cpus", "scaling_governor"])
def test_a_policy_whose_cpus_are_off_is_left_out(tmp_path: Path, attribute: str) -> None:
    grow(tmp_path, policy(0, **{attribute: "\n"}))
    assert LinuxCpus(tmp_path).frequencies() == []


def test_without_frequency_scaling(tmp_path: Path) -> None:
    assert LinuxCpus(tmp_path).frequencies() == []


def test_governor_and_preference_are_written(tmp_path: Path) -> None:
    grow(tmp_path, policy(3, energy_performance_preference="power\n"))
    cpus = LinuxCpus(tmp_path)
    cpus.set_governor("policy3", "performance")
    cpus.set_energy("policy3", "balance_performance")
    (found,) = cpus.frequencies()
    assert (found.governor, found.energy) == ("performance", "balance_performance")


@pytest.mark.parametrize(
    ("mask", "cpus"),
    [
        ("3", {0, 1}),
        ("ff", set(range(8))),
        ("00000001,00000000", {32}),
        ("00000000,00000002", {1}),
        ("80000001,80000001", {0, 31, 32, 63}),
    ],
)
def test_where_interrupts_go(tmp_path: Path, mask: str, cpus: set[int]) -> None:
    grow(tmp_path, {"proc/irq/default_smp_affinity": f"{mask}\n"})
    door = LinuxCpus(tmp_path)
    assert door.interrupts() == cpus
    door.set_default_irq_affinity(cpus)
    assert door.interrupts() == cpus


@pytest.mark.parametrize(
    ("cpus", "mask"),
    [({1}, "00000002"), ({32}, "00000001,00000000"), ({0, 31, 95}, "80000000,00000000,80000001"),
     (set(), "00000000")],
)  # fmt: skip
def test_a_mask_is_written_in_words_of_32_bits(tmp_path: Path, cpus: set[int], mask: str) -> None:
    """The kernel refuses more than eight digits without a comma (lib/bitmap-str.c)."""
    path = tmp_path / "proc/irq/default_smp_affinity"
    grow(tmp_path, {"proc/irq/default_smp_affinity": "1\n"})
    LinuxCpus(tmp_path).set_default_irq_affinity(cpus)
    assert path.read_text() == mask


def test_interrupts_that_cannot_be_read_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="default_smp_affinity"):
        LinuxCpus(tmp_path).interrupts()


# Huge pages


def pool(size: int, total: int, free: int, reserved: int = 0) -> dict[str, str]:
    counts = {"nr_hugepages": total, "free_hugepages": free, "resv_hugepages": reserved}
    return {f"{POOLS}/hugepages-{size}kB/{name}": f"{n}\n" for name, n in counts.items()}


def test_pools_are_read(tmp_path: Path) -> None:
    files = pool(2048, 10, 7, reserved=4) | pool(1048576, 2, 2) | pool(64, 1, 0, reserved=1)
    grow(tmp_path, {"proc/meminfo": "Hugepagesize:    2048 kB\n", **files})
    hugepages = LinuxHugePages(tmp_path)
    assert hugepages.pool(2**21) == HugePagePool(2**21, 10, 3)
    assert hugepages.pool(None) == HugePagePool(2**21, 10, 3)
    assert hugepages.pool(2**30) == HugePagePool(2**30, 2, 2)
    assert hugepages.pool(2**16) == HugePagePool(2**16, 1, 0)
    assert hugepages.pool(2**14) is None


def test_a_kernel_without_huge_pages(tmp_path: Path) -> None:
    assert LinuxHugePages(tmp_path).pool(None) is None
    assert LinuxHugePages(tmp_path).transparent() is None


def test_sizes_that_are_mounted_are_read(tmp_path: Path) -> None:
    line = "36 24 0:32 / /dev/hugepages rw - hugetlbfs hugetlbfs rw,pagesize=1024M\n"
    grow(tmp_path, {"proc/self/mountinfo": line})
    assert LinuxHugePages(tmp_path).mounted() == {2**30}


def test_a_pool_is_resized_and_memory_compacted(tmp_path: Path) -> None:
    grow(tmp_path, {**pool(2048, 1, 1), "proc/sys/vm/compact_memory": ""})
    hugepages = LinuxHugePages(tmp_path)
    hugepages.resize(2**21, 100)
    hugepages.compact()
    assert (tmp_path / POOLS / "hugepages-2048kB/nr_hugepages").read_text() == "100"
    assert (tmp_path / "proc/sys/vm/compact_memory").read_text() == "1"


@pytest.mark.parametrize("mode", ["always", "madvise", "never"])
def test_the_mode_in_brackets_is_the_one(tmp_path: Path, mode: str) -> None:
    text = "always madvise never\n".replace(mode, f"[{mode}]")
    path = "sys/kernel/mm/transparent_hugepage/enabled"
    grow(tmp_path, {path: text})
    assert LinuxHugePages(tmp_path).transparent() == mode
    LinuxHugePages(tmp_path).set_transparent("never")
    assert (tmp_path / path).read_text() == "never"
