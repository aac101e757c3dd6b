"""Steps about CPUs and memory: what they must not get wrong beyond the rules for all steps."""

from dataclasses import replace

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.host import FakeHost
from tests.fakes.performance import FakePool
from tests.fakes.userspace import FakeUnit
from vfiod.errors import HostError, TimedOut
from vfiod.handoff.steps.memory import ReserveHugePages, TransparentHugePages
from vfiod.handoff.steps.performance import LimitUnit, SetDefaultIrqAffinity, SetFrequency

MIB, GIB = 2**20, 2**30
SIZE = 2 * MIB


@pytest.fixture
def host() -> FakeHost:
    return pcs.tuned()


# Units


def test_a_limit_of_the_administrator_s_comes_back(host: FakeHost) -> None:
    step = LimitUnit("user.slice", "0-1", 10)
    prior = step.observe(host)
    assert prior == {"cpus": "0-3"}
    step.apply(host)
    assert host.slices.allowed_cpus("user.slice") == {0, 1}
    step.undo(host, prior)
    assert host.slices.allowed_cpus("user.slice") == {0, 1, 2, 3}


def test_a_limit_that_the_kernel_does_not_follow_is_an_error(host: FakeHost) -> None:
    host.slices.ignores_limits = True
    began = host.now()
    with pytest.raises(TimedOut, match=r"system\.slice still uses CPUs 0-7 after 10 s"):
        LimitUnit("system.slice", "0-1", 10).apply(host)
    assert host.now() - began == 10


def test_its_advice_can_be_followed_after_the_limit_was_taken_back(host: FakeHost) -> None:
    host.slices.ignores_limits = True
    with pytest.raises(TimedOut) as told:
        LimitUnit("system.slice", "0-1", 10).apply(host)
    assert told.value.message.endswith("; its limit was 0-1")
    assert told.value.hint == "what systemd said about it: sudo journalctl -b _PID=1"


def test_a_unit_that_runs_must_have_a_cpuset_before_it_counts_as_limited(host: FakeHost) -> None:
    host.user.add(FakeUnit("system.slice"))
    host.slices.without_cpuset.add("system.slice")
    host.clock.after(1, host.slices.without_cpuset.clear)
    began = host.now()
    LimitUnit("system.slice", "0-1", 10).apply(host)
    assert host.now() - began == 1


def test_a_unit_that_does_not_run_is_limited_without_one(host: FakeHost) -> None:
    host.slices.without_cpuset.add("user.slice")
    assert LimitUnit("user.slice", "0-1", 10).apply(host) == ()


def test_the_host_has_its_cpus_before_the_kernel_is_asked(host: FakeHost) -> None:
    """The way home waits for nothing."""
    step = LimitUnit("system.slice", "0-1", 10)
    prior = step.observe(host)
    step.apply(host)
    host.slices.ignores_limits = True
    began = host.now()
    step.undo(host, prior)
    assert host.now() == began


# Interrupts


def test_interrupts_that_cannot_be_aimed_are_an_error(host: FakeHost) -> None:
    host.cpus.aim_is_fixed = True
    with pytest.raises(HostError, match="new interrupts do not go to CPUs 2-7"):
        SetDefaultIrqAffinity("2-7").apply(host)


# Frequency


def test_governor_and_preference_come_back_by_policy(host: FakeHost) -> None:
    host.cpus.policies["policy2"] = replace(host.cpus.policies["policy2"], energy="power")
    before = dict(host.cpus.policies)
    step = SetFrequency(("policy2", "policy3"), "performance", "performance")
    prior = step.observe(host)
    assert prior == {
        "policy2": ["powersave", "power"], "policy3": ["powersave", "balance_performance"],
    }  # fmt: skip
    step.apply(host)
    assert host.cpus.policies["policy2"].energy == "performance"
    step.undo(host, prior)
    assert host.cpus.policies == before


def test_what_is_so_already_is_not_written(host: FakeHost) -> None:
    step = SetFrequency(("policy2",), "powersave", "balance_performance")
    step.apply(host)
    assert host.effects.log == []


@pytest.mark.parametrize("ignored", ["performance", "power"])
def test_a_setting_that_does_not_take_is_an_error(host: FakeHost, ignored: str) -> None:
    host.cpus.ignores.add(ignored)
    with pytest.raises(HostError, match=r"policy2 has the \w+ \w+ in the end"):
        SetFrequency(("policy2",), "performance", "power").apply(host)


def test_a_preference_that_the_governor_forbids_is_refused_and_given_back(host: FakeHost) -> None:
    host.cpus.set_governor("policy2", "performance")
    before = dict(host.cpus.policies)
    step = SetFrequency(("policy2",), None, "power")
    prior = step.observe(host)
    with pytest.raises(HostError, match="busy"):
        step.apply(host)
    step.undo(host, prior)
    assert host.cpus.policies == before


def test_a_policy_that_vanished_needs_nothing_back(host: FakeHost) -> None:
    step = SetFrequency(("policy2", "policy3"), "performance", None)
    prior = step.observe(host)
    step.apply(host)
    del host.cpus.policies["policy2"]
    step.undo(host, prior)
    assert host.cpus.policies["policy3"].governor == "powersave"


def test_a_policy_that_came_back_since_keeps_what_it_has(host: FakeHost) -> None:
    step = SetFrequency(("policy2", "policy3"), "performance", None)
    absent = host.cpus.policies.pop("policy2")
    prior = step.observe(host)
    host.cpus.policies["policy2"] = replace(absent, governor="performance")
    step.undo(host, prior)
    assert host.cpus.policies["policy2"].governor == "performance"


def test_one_policy_that_fails_leaves_the_others_restored(host: FakeHost) -> None:
    step = SetFrequency(("policy2", "policy3"), "performance", None)
    prior = step.observe(host)
    step.apply(host)
    host.effects.plan({1: Fault.FAIL_BEFORE})
    with pytest.raises(HostError, match="injected: governor policy2"):
        step.undo(host, prior)
    assert host.cpus.policies["policy3"].governor == "powersave"


def test_what_is_set_is_told(host: FakeHost) -> None:
    told = SetFrequency(("policy2",), "performance", "power").describe()
    assert told == "set governor performance, energy preference power"
    assert SetFrequency(("policy2",), None, "power").describe() == "set energy preference power"


# Huge pages


def pages(total: int = 0, **more: int) -> FakeHost:
    host = pcs.bare()
    host.hugepages.pools[SIZE] = FakePool(total, **more)
    return host


def test_pages_in_use_are_not_counted_as_free() -> None:
    host = pages(100, used=90)
    step = ReserveHugePages(SIZE, 50, 30)
    prior = step.observe(host)
    assert step.apply(host) == ()
    assert (host.hugepages.pools[SIZE].total, prior) == (140, {"total": 100})


def test_pages_are_asked_for_a_gibibyte_at_a_time() -> None:
    host = pages()
    ReserveHugePages(SIZE, 1200, 30).apply(host)
    assert host.effects.log == ["resize 2 MiB 512", "resize 2 MiB 1024", "resize 2 MiB 1200"]


def test_pages_larger_than_that_are_asked_for_one_by_one() -> None:
    host = pcs.bare()
    host.hugepages.pools[16 * GIB] = FakePool()
    ReserveHugePages(16 * GIB, 2, 30).apply(host)
    assert host.hugepages.pools[16 * GIB].total == 2


def test_memory_is_compacted_only_if_it_must_be() -> None:
    host = pages(obtainable=100, scattered=100)
    assert ReserveHugePages(SIZE, 150, 30).apply(host) == ("memory was compacted for huge pages",)
    host = pages(obtainable=150)
    ReserveHugePages(SIZE, 150, 30).apply(host)
    assert "compact" not in host.effects.log


def test_pages_that_cannot_be_had_are_an_error() -> None:
    host = pages(10, used=10, obtainable=100)
    with pytest.raises(HostError) as caught:
        ReserveHugePages(SIZE, 150, 30).apply(host)
    assert "of 150 huge pages of 2048 KiB only 100 can be had" in caught.value.message
    assert "hugepages=" in caught.value.hint


def test_a_kernel_that_takes_for_ever_is_not_asked_for_ever() -> None:
    host = pages()
    host.effects.barrier = lambda _name: host.clock.advance(20)
    with pytest.raises(HostError, match="only 1024 can be had"):
        ReserveHugePages(SIZE, 2048, 10).apply(host)


def test_pages_that_somebody_else_uses_by_now_stay_until_they_are_free() -> None:
    host = pages()
    step = ReserveHugePages(SIZE, 100, 30)
    prior = step.observe(host)
    step.apply(host)
    host.hugepages.pools[SIZE].used = 7
    (note,) = step.undo(host, prior)
    assert note == "7 huge pages of 2048 KiB are still in use and go when that ends"
    assert host.hugepages.pools[SIZE].total == 7


def test_a_size_that_is_gone_is_an_error() -> None:
    with pytest.raises(HostError, match="no huge pages of 1 GiB"):
        ReserveHugePages(GIB, 1, 30).observe(pcs.bare())


def test_a_mode_that_does_not_take_is_an_error(host: FakeHost) -> None:
    host.hugepages.mode_is_fixed = True
    with pytest.raises(HostError, match="transparent huge pages are madvise, not never"):
        TransparentHugePages("never").apply(host)
