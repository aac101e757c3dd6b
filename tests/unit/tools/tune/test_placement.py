"""Where a guest runs: what must hold on every host and for every size."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.topologies import NAMES
from tests.unit.tools.tune.tuned import topology
from vfiod.host.facts.cpu import Core, Topology
from vfiod.tools.tune.placement import Placement, Unplaced, place


@st.composite
def machines(draw: st.DrawFn) -> Topology:
    """Processors that nobody has built: any cores per cache, any order of threads."""
    width = draw(st.integers(1, 2))
    sizes = draw(st.lists(st.integers(1, 8), min_size=1, max_size=6))
    nodes = draw(st.integers(1, 2))
    slow = draw(st.integers(0, 4))
    total = sum(sizes)
    numbers = draw(st.permutations(range(total * width + slow)))
    homes = [cache for cache, size in enumerate(sizes) for _ in range(size)]
    cores = [
        Core(
            cpus=tuple(sorted(numbers[i * width : (i + 1) * width])),
            node=home * nodes // len(sizes),
            cache=home,
        )
        for i, home in enumerate(homes)
    ]
    atoms = [Core(cpus=(n,), efficient=True) for n in numbers[total * width :]]
    bits = draw(st.frozensets(st.sampled_from(numbers)))
    caches = tuple(draw(st.sampled_from([32, 96])) for _ in sizes)
    ordered = tuple(sorted([*cores, *atoms], key=lambda core: core.cpus))
    return Topology("AuthenticAMD", "", frozenset(), ordered, caches, bits)


def used(found: Placement) -> list[int]:
    return [cpu for pin in found.pins for cpu in pin]


@given(machines(), st.integers(1, 40), st.integers(0, 2))
def test_what_always_holds(machine: Topology, vcpus: int, node: int) -> None:
    found = place(machine, vcpus, node)
    if isinstance(found, Unplaced):
        assert found.reason
        assert found.remedy
        return
    taken = used(found)
    assert len(found.pins) == vcpus
    assert all(found.pins)
    assert len(set(taken)) == len(taken)
    assert machine.cpus.issuperset(taken)
    assert found.host
    assert not set(found.host).intersection(taken)
    assert any(not set(core.cpus).intersection(taken) for core in machine.cores)
    assert found.dies * found.cores * found.threads == vcpus


@given(machines(), st.integers(1, 40))
def test_threads_of_a_guest_core_are_threads_of_one_host_core(machine: Topology, n: int) -> None:
    found = place(machine, n)
    if isinstance(found, Unplaced):
        return
    cores = {cpu: core for core in machine.cores for cpu in core.cpus}
    for first in range(0, n, found.threads):
        mates = [cpu for pin in found.pins[first : first + found.threads] for cpu in pin]
        assert {cores[cpu] for cpu in mates} == {cores[mates[0]]}
        assert sorted(mates) == sorted(cores[mates[0]].cpus)


@given(machines(), st.integers(1, 40))
def test_dies_of_the_guest_are_caches_of_the_host(machine: Topology, vcpus: int) -> None:
    found = place(machine, vcpus)
    if isinstance(found, Unplaced) or found.dies == 1:
        return
    caches = {cpu: core.cache for core in machine.cores for cpu in core.cpus}
    size = vcpus // found.dies
    dies = [{caches[pin[0]] for pin in found.pins[i : i + size]} for i in range(0, vcpus, size)]
    assert all(len(die) == 1 for die in dies)
    assert len(set.union(*dies)) == found.dies


@given(machines(), st.integers(1, 40))
def test_a_guest_that_fits_behind_one_cache_stays_there(machine: Topology, vcpus: int) -> None:
    machine = replace(machine, isolated=frozenset())
    found = place(machine, vcpus)
    if isinstance(found, Unplaced):
        return
    caches = [core.cache for core in machine.cores if not core.efficient]
    cores = vcpus // found.threads
    caches_taken = {c.cache for c in machine.cores if set(c.cpus).intersection(used(found))}
    if any(caches.count(cache) >= cores for cache in caches):
        assert len(caches_taken) == 1


@pytest.mark.parametrize("name", NAMES)
def test_every_size_up_to_the_most_is_placed_on_real_processors(name: str) -> None:
    machine = topology(name)
    fast = [core for core in machine.cores if not core.efficient]
    most = 2 * min(len(fast), len(machine.cores) - 1)
    assert all(isinstance(place(machine, n), Placement) for n in range(2, most + 1, 2))
    assert isinstance(place(machine, most + 2), Unplaced)


def test_the_larger_cache_is_worth_the_first_core() -> None:
    found = place(topology("ryzen-9-7950x3d"), 16)
    assert isinstance(found, Placement)
    assert set(used(found)) == {*range(8), *range(16, 24)}


def test_the_first_core_stays_with_the_host_otherwise() -> None:
    found = place(topology("ryzen-9-7950x"), 16)
    assert isinstance(found, Placement)
    assert set(used(found)) == {*range(8, 16), *range(24, 32)}


def test_cores_set_aside_at_boot_are_taken_and_not_given_to_qemu() -> None:
    machine = replace(topology("ryzen-5-1600"), isolated=frozenset({2, 3, 4, 5}))
    found = place(machine, 4)
    assert isinstance(found, Placement)
    assert used(found) == [2, 3, 4, 5]
    smaller = place(machine, 2)
    assert isinstance(smaller, Placement)
    assert used(smaller) == [4, 5]
    assert not {2, 3}.intersection(smaller.host)


def test_too_few_set_aside_do_not_bind() -> None:
    machine = replace(topology("ryzen-5-1600"), isolated=frozenset({2, 3}))
    found = place(machine, 6)
    assert isinstance(found, Placement)
    assert used(found) == [6, 7, 8, 9, 10, 11]


def test_memory_near_the_card() -> None:
    machine = topology("two-xeon-e5-2680v2")
    for node in (0, 1):
        found = place(machine, 8, node)
        assert isinstance(found, Placement)
        assert found.node == node
        assert {core.node for core in machine.cores if found.host[0] in core.cpus} == {node}


def test_a_core_with_a_thread_offline_is_passed_over() -> None:
    machine = topology("ryzen-5-1600")
    last = replace(machine.cores[-1], cpus=(10,))
    found = place(replace(machine, cores=(*machine.cores[:-1], last)), 4)
    assert isinstance(found, Placement)
    assert used(found) == [6, 7, 8, 9]


def test_one_core_stays_the_hosts() -> None:
    found = place(Topology("", "", frozenset(), (Core((0, 1)),), (0,)), 2)
    assert isinstance(found, Unplaced)


def test_nothing_known_of_the_host() -> None:
    assert isinstance(place(Topology("", "", frozenset(), (), ()), 2), Unplaced)
