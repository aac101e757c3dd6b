"""What performance: asks for, against what the host can do."""

from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from tests.fakes.performance import FakePool
from tests.fakes.rig import Rig
from vfiod.config.schema import parse
from vfiod.events import Kind
from vfiod.guest import domain
from vfiod.handoff.decision import performance, snapshot
from vfiod.handoff.decision.performance import HOST_UNITS, PerformanceRequest
from vfiod.handoff.steps.base import Step
from vfiod.handoff.steps.memory import ReserveHugePages, TransparentHugePages
from vfiod.handoff.steps.performance import LimitUnit, SetDefaultIrqAffinity, SetFrequency

MIB, GIB = 2**20, 2**30


def request(host: FakeHost, asked: str, xml: str | None = None) -> PerformanceRequest:
    """A guest of 4 GiB in huge pages that asks for this."""
    config = parse(pcs.configuration(more=f"    performance: {{{asked}}}\n"))
    wanted = domain.parse(xml or pcs.xml(backing=pcs.HUGEPAGES))
    guest = config.guests["win10"]
    return PerformanceRequest(guest.performance, wanted, snapshot.read(host, config, guest, wanted))


def fault(host: FakeHost, asked: str, xml: str | None = None) -> str:
    (found,) = performance.find_faults(request(host, asked, xml))
    assert found.hint
    return found.message


def remarks(host: FakeHost, asked: str) -> list[str]:
    return list(performance.find_remarks(request(host, asked)))


def steps(host: FakeHost, asked: str) -> list[Step]:
    found = request(host, asked)
    return [*performance.early_steps(found), *performance.late_steps(found)]


def with_pages(free: int = 0, obtainable: int = 2**16) -> FakeHost:
    host = pcs.tuned()
    host.hugepages.pools[2 * MIB] = FakePool(total=free, obtainable=obtainable)
    return host


@pytest.fixture
def host() -> FakeHost:
    """8 CPUs, of which 1 to 4 have a frequency policy; enough pages for the guest."""
    return with_pages(2048)


def test_nothing_asked_nothing_done(host: FakeHost) -> None:
    asked = request(host, "")
    assert asked.state.online == frozenset()
    assert (list(performance.find_faults(asked)), steps(host, ""), remarks(host, "")) == (
        [],
        [],
        [],
    )


# CPUs


@pytest.mark.parametrize("cpus", ["8", "8-15", "4000"])
def test_cpus_that_do_not_exist_are_refused(host: FakeHost, cpus: str) -> None:
    message = fault(host, f"host_cpus: '{cpus}'")
    assert message == "host_cpus: no such CPU, this PC has 0-7"


def test_a_host_that_keeps_all_cpus_is_refused(host: FakeHost) -> None:
    assert "none is left for the guest" in fault(host, "host_cpus: 0-9")


def test_control_groups_without_cpusets_are_refused(host: FakeHost) -> None:
    host.slices.has_cpusets = False
    assert "cannot limit CPUs" in fault(host, "host_cpus: '0'")


def test_a_cpu_that_does_not_exist_beside_one_that_does_is_left_out(host: FakeHost) -> None:
    assert steps(host, "host_cpus: '0,9-11'") == [LimitUnit(unit, "0", 10) for unit in HOST_UNITS]
    assert remarks(host, "host_cpus: '0,9-11'") == ["host_cpus: this PC has no CPUs 9-11"]


def test_a_cpu_that_is_off_is_left_out(host: FakeHost) -> None:
    host.cpus.running = frozenset({0, 2, 3})
    assert LimitUnit("user.slice", "0", 10) in steps(host, "host_cpus: 0-1")


def test_libvirt_s_slice_is_never_limited(host: FakeHost) -> None:
    units = [s.unit for s in steps(host, "host_cpus: 0-1") if isinstance(s, LimitUnit)]
    assert units == ["system.slice", "user.slice", "init.scope"]


def test_interrupts_go_to_the_cpus_that_the_host_does_not_keep(host: FakeHost) -> None:
    assert SetDefaultIrqAffinity("2-7") in steps(host, "host_cpus: 0-1, irqs: near")


# Frequency


def test_only_the_guest_s_cpus_are_sped_up(host: FakeHost) -> None:
    assert SetFrequency(("policy2", "policy3", "policy4"), "performance", "power") in steps(
        host, "host_cpus: 0-1, governor: performance, energy: power"
    )


def test_all_cpus_are_the_guest_s_if_the_host_keeps_none(host: FakeHost) -> None:
    policies = tuple(host.cpus.policies)
    assert steps(host, "governor: performance") == [SetFrequency(policies, "performance", None)]


@pytest.mark.parametrize("key", ["governor", "energy"])
def test_a_name_that_the_host_does_not_know_is_refused(host: FakeHost, key: str) -> None:
    asked = request(host, f"{key}: turbo")
    (found,) = performance.find_faults(asked)
    assert found.message == f"{key}: this host has no turbo"
    assert "performance, " in found.hint


def test_a_host_without_frequency_scaling_is_told_and_left_alone(host: FakeHost) -> None:
    host.cpus.policies.clear()
    asked = "governor: performance, energy: performance"
    assert list(performance.find_faults(request(host, asked))) == []
    assert steps(host, asked) == []
    assert remarks(host, asked) == [
        "governor, energy: this host does not scale the CPUs' frequency"
    ]


def test_a_driver_without_an_energy_preference_is_told(host: FakeHost) -> None:
    host.cpus.policies.clear()
    host.cpus.add_policy(4, energy=None)
    asked = "energy: performance"
    assert list(performance.find_faults(request(host, asked))) == []
    assert steps(host, asked) == []
    assert remarks(host, asked) == [
        "energy: the CPU frequency driver of this host has no energy preference"
    ]
    both = steps(host, "governor: performance, energy: performance")
    assert both == [SetFrequency(("policy4",), "performance", None)]


# Huge pages


@pytest.mark.parametrize(
    ("asked", "free", "expected"),
    [
        ("auto", 0, [2048]),
        ("auto", 2047, [2048]),
        ("auto", 2048, []),
        ("6GiB", 2048, [3072]),
        ("6GiB", 3072, []),
        ("4097MiB", 0, [2049]),
    ],
)
def test_pages_are_reserved_if_too_few_are_free(asked: str, free: int, expected: list[int]) -> None:
    found = steps(with_pages(free), f"hugepages: {asked}")
    assert found == [ReserveHugePages(2 * MIB, pages, 30) for pages in expected]


def test_the_size_of_page_that_the_guest_wants_is_reserved(host: FakeHost) -> None:
    host.hugepages.pools[GIB] = FakePool()
    backing = "<memoryBacking><hugepages><page size='1' unit='GiB'/></hugepages></memoryBacking>"
    asked = request(host, "hugepages: auto", pcs.xml(backing=backing))
    assert list(performance.early_steps(asked)) == [ReserveHugePages(GIB, 4, 30)]


def test_pages_that_the_guest_does_not_use_are_refused(host: FakeHost) -> None:
    assert "does not use huge pages" in fault(host, "hugepages: auto", pcs.xml())


def test_a_size_that_the_kernel_does_not_have_is_refused(host: FakeHost) -> None:
    backing = "<memoryBacking><hugepages><page size='16' unit='MiB'/></hugepages></memoryBacking>"
    message = fault(host, "hugepages: auto", pcs.xml(backing=backing))
    assert "huge pages of 16777216 bytes" in message


def test_less_than_the_guest_s_memory_is_refused(host: FakeHost) -> None:
    assert fault(host, "hugepages: 3GiB") == (
        "hugepages: 3.0 GiB is less than the guest's memory, 4.0 GiB"
    )


@pytest.mark.parametrize(
    ("available", "free", "refused"),
    [
        (4 * GIB + 256 * MIB, 0, False),
        (4 * GIB + 255 * MIB, 0, True),
        (2 * GIB + 256 * MIB, 1024, False),
        (0, 2047, True),
        (0, 2048, False),
    ],
)
def test_pages_that_cannot_be_spared_are_refused_before_anything_is_touched(
    *, available: int, free: int, refused: bool
) -> None:
    host = with_pages(free)
    host.memory.free = available
    found = [f.message for f in performance.find_faults(request(host, "hugepages: auto"))]
    assert len(found) == refused
    assert all("must still be set aside and only" in message for message in found)


def backing(page: str = "", source: str = "") -> str:
    return pcs.xml(backing=f"<memoryBacking>{source}<hugepages>{page}</hugepages></memoryBacking>")


HUGE = "<page size='1' unit='GiB'/>"
LARGE = "<page size='2' unit='MiB'/>"
MEMFD = "<source type='memfd'/>"
MIRRORED = {GIB}


@pytest.mark.parametrize("asked", ["", "hugepages: auto"])
@pytest.mark.parametrize(
    ("mounts", "page", "size", "option"),
    [
        ({2 * MIB}, HUGE, "1 GiB", "1G"),
        (MIRRORED, LARGE, "2 MiB", "2M"),
        (set(), "", "2 MiB", "2M"),
    ],
)
def test_pages_of_a_size_that_is_mounted_nowhere_are_refused(
    host: FakeHost, asked: str, mounts: set[int], page: str, size: str, option: str
) -> None:
    host.hugepages.pools[GIB] = FakePool(total=4)
    host.hugepages.mounts = mounts
    (found,) = performance.find_faults(request(host, asked, backing(page)))
    assert found.message == (
        f"the guest's memory is to be in huge pages of {size}, and libvirt finds no file system "
        "(hugetlbfs) that has them"
    )
    line = f"hugetlbfs /dev/hugepages{option} hugetlbfs pagesize={option} 0 0"
    assert f"echo '{line}' | sudo tee -a /etc/fstab" in found.hint
    assert f"sudo systemctl start dev-hugepages{option}.mount" in found.hint
    assert "restart libvirt, which looks for them only when it starts" in found.hint
    assert ("memfd" in found.hint) is bool(page)


@pytest.mark.parametrize("asked", ["", "hugepages: auto"])
@pytest.mark.parametrize(
    ("mounts", "xml"),
    [
        ({2 * MIB, GIB}, backing(HUGE)),
        ({2 * MIB}, backing(LARGE)),
        (MIRRORED, backing(LARGE, MEMFD)),
        (set(), backing(HUGE, MEMFD)),
        (MIRRORED, backing()),  # libvirt takes the first mount there is
    ],
)
def test_pages_that_libvirt_can_have_are_not_refused(
    host: FakeHost, asked: str, mounts: set[int], xml: str
) -> None:
    host.hugepages.pools[GIB] = FakePool(total=4)
    host.hugepages.mounts = mounts
    assert list(performance.find_faults(request(host, asked, xml))) == []


def test_a_memfd_of_no_size_needs_a_mount_too(host: FakeHost) -> None:
    host.hugepages.mounts = set()
    assert "of 2 MiB" in fault(host, "", backing("", MEMFD))


# Transparent huge pages


def test_the_mode_is_set_if_it_is_another(host: FakeHost) -> None:
    assert steps(host, "transparent_hugepages: never") == [TransparentHugePages("never")]
    assert steps(host, "transparent_hugepages: madvise") == []


def test_a_kernel_without_them_is_told_and_left_alone(host: FakeHost) -> None:
    host.hugepages.mode = None
    assert steps(host, "transparent_hugepages: never") == []
    assert remarks(host, "transparent_hugepages: never") == [
        "transparent_hugepages: this kernel has none"
    ]


# In a handoff


def test_while_the_guest_runs_everything_is_as_asked(run_directory: Path) -> None:
    rig = Rig(pcs.tuned(), run_directory)
    host = rig.host
    pid = rig.start()
    assert {host.slices.allowed_cpus(unit) for unit in HOST_UNITS} == {frozenset({0, 1})}
    assert host.slices.allowed_cpus("machine.slice") == frozenset()
    assert host.cpus.interrupts() == frozenset(range(2, 8))
    governors = {p.name: (p.governor, p.energy) for p in host.cpus.frequencies()}
    fast = ("performance", "performance")
    assert governors == {
        "policy1": ("powersave", "balance_performance"), "policy2": fast, "policy3": fast,
        "policy4": ("performance", None),
    }  # fmt: skip
    pool = host.hugepages.pool(2 * MIB)
    assert pool is not None
    assert (pool.total, pool.free) == (2051, 2048)
    assert host.hugepages.transparent() == "never"
    rig.end_guest(pid)
    assert rig.differences() == {}


def test_a_rehearsal_tries_it_too_and_leaves_the_desktop_alone(run_directory: Path) -> None:
    rig = Rig(pcs.tuned(), run_directory)
    assert rig.rehearse(keep_desktop=True) is None
    done = rig.host.effects.log
    assert "resize 2 MiB 2051" in done
    assert "allow system.slice [0, 1]" in done
    assert not [name for name in done if name.startswith(("stop", "terminate"))]
    assert rig.differences() == {}


def test_memory_in_too_small_pieces_leaves_the_desktop_as_it_was(run_directory: Path) -> None:
    host = pcs.tuned()
    host.hugepages.pools[2 * MIB] = FakePool(obtainable=1000, scattered=1000)
    rig = Rig(host, run_directory)
    error = rig.prepare()
    assert "of 2048 huge pages of 2048 KiB only 2000 can be had" in str(error)
    assert "compact" in host.effects.log
    assert not [name for name in host.effects.log if name.startswith(("stop", "terminate"))]
    assert {**rig.before, "pools": {}} == {**host.snapshot(), "pools": {}}
    assert host.hugepages.pools[2 * MIB].total == 0


def test_what_the_host_does_not_know_is_told_once(run_directory: Path) -> None:
    host = pcs.tuned()
    host.cpus.policies.clear()
    rig = Rig(host, run_directory)
    assert rig.prepare() is None
    told = [text for text in rig.messages(Kind.REMARK) if "frequency" in text]
    assert told == ["governor, energy: this host does not scale the CPUs' frequency"]
