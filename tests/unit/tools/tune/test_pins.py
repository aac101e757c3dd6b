"""Pins of the user's own: kept if they work, named if they do not."""

from collections.abc import Mapping

import pytest

from tests.unit.tools.tune.tuned import guest, topology
from vfiod.tools.tune.pins import kept
from vfiod.tools.tune.placement import Placement, place

GOOD = {0: (0,), 1: (1,), 2: (2,), 3: (3,), 4: (4,), 5: (5,)}


def judged(pins: Mapping[int, tuple[int, ...]], *, vcpus: int = 6) -> Placement | str:
    machine = topology("ryzen-5-1600")
    best = place(machine, vcpus)
    assert isinstance(best, Placement)
    return kept(guest(vcpus=vcpus, pins=pins), machine, best)


def test_other_cores_than_ours_are_the_users_right() -> None:
    found = judged(GOOD)
    assert isinstance(found, Placement)
    assert found.pins == tuple(GOOD.values())
    assert found.host == (6, 7, 8, 9, 10, 11)
    assert (found.dies, found.cores, found.threads) == (1, 3, 2)


def test_a_core_for_each_vcpu_is_as_good() -> None:
    found = judged({0: (2,), 1: (4,), 2: (0, 1)}, vcpus=3)
    assert isinstance(found, Placement)
    assert (found.cores, found.threads) == (3, 1)
    assert found.pins == ((2,), (4,), (0, 1))


def test_pins_over_two_caches_where_two_are_needed() -> None:
    cpus = (0, 1, 2, 3, 6, 7, 8, 9)
    found = judged({vcpu: (cpu,) for vcpu, cpu in enumerate(cpus)}, vcpus=8)
    assert isinstance(found, Placement)
    assert (found.dies, found.cores, found.threads) == (2, 2, 2)


@pytest.mark.parametrize(
    ("pins", "fault"),
    [
        ({}, "vCPUs 0-5"),
        ({n: (n,) for n in range(5)}, "vCPUs 5 have no pin"),
        (GOOD | {5: (12,)}, "CPUs 12"),
        (GOOD | {5: (4,)}, "vCPUs 4 and 5 may both run on CPU 4"),
        ({n: tuple(range(6)) for n in range(6)}, "may both run"),
        (GOOD | {4: (4, 6)}, "from one core to another"),
        ({0: (0,), 1: (2,), 2: (4,), 3: (1,), 4: (3,), 5: (5,)}, "in order"),
        ({0: (0,), 1: (1,), 2: (2,), 3: (4,), 4: (6,), 5: (8,)}, "in order"),
        ({n: (2 * n,) for n in range(6)}, "leave the host no core"),
        ({0: (0,), 1: (1,), 2: (2,), 3: (3,), 4: (6,), 5: (7,)}, "2 caches where 1 would do"),
    ],
)
def test_what_is_wrong_is_named(pins: Mapping[int, tuple[int, ...]], fault: str) -> None:
    found = judged(pins)
    assert isinstance(found, str)
    assert fault in found
