"""What no edit can mend is told, with a remedy; what is well is not mentioned."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.tools.tune.tuned import CARD, NVIDIA, WIN10, host, with_vcpus
from vfiod.config.performance import Performance
from vfiod.tools.tune.facts import Host, PassedThrough
from vfiod.tools.tune.findings import Findings, examine

WELL: dict[str, Any] = {
    "smt": "on",
    "governor": "performance",
    "clocksource": "tsc",
    "transparent_hugepages": "madvise",
    "hugepages": {2048: 8192},
    "kvm": {"npt": "Y", "avic": "1"},
}


def found(xml: str = WIN10, machine: Host | None = None, **settings: Any) -> Findings:
    return examine(xml, machine or host(**(WELL | settings)))


def test_nothing_is_said_of_a_host_that_is_well() -> None:
    assert found().advice == ()


@pytest.mark.parametrize(
    ("settings", "name", "fact"),
    [
        ({"smt": "off"}, "smt", "switched off by the kernel"),
        ({"smt": "forceoff"}, "smt", "forced off"),
        ({"governor": "powersave"}, "frequency", "governor is powersave"),
        ({"energy_preference": "balance_power"}, "frequency", "preference is balance_power"),
        ({"clocksource": "hpet"}, "clock", "the host's clock is hpet"),
        ({"kvm": {"npt": "N"}}, "kvm", "npt is off"),
        ({"kvm": {"npt": "Y", "avic": "N"}}, "kvm", "avic is off"),
        ({"kvm": {"ept": "Y", "enable_apicv": "N"}}, "kvm", "APICv"),
        ({"hugepages": {2048: 8191}}, "hugepages", "not enough"),
    ],
)
def test_each_fault_is_found(settings: dict[str, Any], name: str, fact: str) -> None:
    (advice,) = found(**settings).advice
    assert advice.name == name
    assert fact in advice.fact
    assert advice.remedy


def test_what_linux_cannot_know_is_no_fault() -> None:
    assert len(found().unseen) == 1
    silent = found(smt="notsupported")
    assert silent.advice == ()
    assert any("SMT" in item for item in silent.unseen)


def test_the_preference_counts_where_powersave_is_normal() -> None:
    assert not found(governor="powersave", energy_preference="balance_performance").advice


def told(asked: Performance, **settings: Any) -> list[tuple[str, str]]:
    machine = host(asked=asked, **(WELL | settings))
    return [(advice.name, advice.remedy) for advice in found(machine=machine).advice]


def test_the_host_is_to_keep_off_the_guests_cpus() -> None:
    ((name, remedy),) = told(Performance())
    assert name == "pinning"
    assert remedy.startswith('add host_cpus: "0-5" below performance: of win10 in /etc/vfiod/')
    assert told(Performance(host_cpus=frozenset(range(6)))) == []


def test_cpus_promised_to_both() -> None:
    ((_, remedy),) = told(Performance(host_cpus=frozenset({0, 6})))
    assert remedy.startswith('make it host_cpus: "0-5"')


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"hugepages": {}}, "hugepages: auto"),
        ({"governor": "powersave"}, "governor: performance"),
        ({"energy_preference": "power"}, "energy: performance"),
    ],
)
def test_what_vfiod_can_do_itself_it_offers(settings: dict[str, Any], line: str) -> None:
    ours = frozenset(range(6))
    ((_, remedy),) = told(Performance(host_cpus=ours), **settings)
    assert remedy.startswith(f"add {line} below")
    done = Performance(host_cpus=ours, governor="performance", energy="performance", hugepages=0)
    assert told(done, **settings) == []


def test_avic_is_not_asked_of_a_processor_without_it() -> None:
    machine = host(**(WELL | {"kvm": {"avic": "N"}}))
    flags = machine.topology.flags - {"avic"}
    machine = replace(machine, topology=replace(machine.topology, flags=flags))
    assert not found(machine=machine).advice


@pytest.mark.parametrize(
    ("settings", "asked", "size", "option"),
    [
        ({"hugepages": {2048: 0, 1048576: 16}, "mounted": {2048}}, None, "1 GiB", "1G"),
        ({"hugepages": {2048: 8192}, "mounted": set()}, None, "2 MiB", "2M"),
        ({"hugepages": {}, "mounted": {1048576}}, Performance(hugepages=0), "2 MiB", "2M"),
    ],
)
def test_reserved_hugepages_that_are_mounted_nowhere(
    settings: dict[str, Any], asked: Performance | None, size: str, option: str
) -> None:
    machine = host(asked=asked, **(WELL | settings))
    (advice,) = (a for a in found(machine=machine).advice if a.name == "hugepages")
    assert advice.fact == (
        f"huge pages of {size} are there for this guest, and libvirt finds no file system "
        "(hugetlbfs) that has them"
    )
    assert f"hugetlbfs /dev/hugepages{option} hugetlbfs pagesize={option} 0 0" in advice.remedy
    assert advice.remedy.endswith("then: sudo vfiod tune win10")


def test_transparent_hugepages_count_only_without_reserved_ones() -> None:
    assert not found(transparent_hugepages="never").advice
    assert len(found(transparent_hugepages="never", hugepages={}).advice) == 2


def test_memory_that_no_page_fits() -> None:
    odd = WIN10.replace(">16777216<", ">16777000<")
    (advice,) = found(odd).advice
    assert "16777000 KiB" in advice.fact


def test_a_guest_too_large_for_the_host() -> None:
    (advice,) = found(with_vcpus(WIN10, 12)).advice
    assert advice.name == "pinning"
    assert "at most 10 fit, an even number" in advice.remedy


def test_vcpus_that_are_plugged_in_later() -> None:
    hotplug = with_vcpus(WIN10, 16).replace("<vcpu ", "<vcpu current='8' ")
    (advice,) = found(hotplug).advice
    assert advice.fact == "8 of 16 vCPUs are plugged in at its start, and 16 do not fit"
    assert advice.remedy.startswith("make them one number, <vcpu>8</vcpu>: virsh --connect")
    neither = hotplug.replace("current='8'", "current='14'")
    assert found(neither).advice[0].fact.startswith("16 vCPUs do not fit")


def test_a_guest_without_kvm() -> None:
    assert found(WIN10.replace("type='kvm'", "type='qemu'")).advice[0].name == "kvm"


def test_an_emulated_disk() -> None:
    (advice,) = found(WIN10.replace("dev='vda' bus='virtio'", "dev='sdb' bus='sata'")).advice
    assert "disk sdb" in advice.fact


def test_a_guest_that_may_not_see_that_it_is_one() -> None:
    feature = "<feature policy='disable' name='hypervisor'/></cpu>"
    (advice,) = found(WIN10.replace("</cpu>", feature)).advice
    assert "uses none of this" in advice.fact


@pytest.mark.parametrize(("window", "count"), [(2**28, 1), (2**33, 0)])
def test_a_small_window_on_a_card_that_could_have_more(window: int, count: int) -> None:
    card = PassedThrough(CARD, NVIDIA, is_display=True, window=window, resizable=True)
    findings = found(machine=replace(host(**WELL), devices=(card,)))
    assert [advice.name for advice in findings.advice] == ["bar"] * count
    assert all(advice.firmware for advice in findings.advice)
