"""How large a guest is proposed on each recorded processor."""

import pytest

from tests.unit.tools.tune.tuned import topology
from vfiod.host.facts.cpu import Topology
from vfiod.tools.create.proposal import Sizes, propose
from vfiod.tools.create.system import System

GIB = 2**30
WIN11, LINUX = System("win11"), System("debian12")


@pytest.mark.parametrize(
    ("name", "cpus"),
    [
        ("ryzen-5-1600", 6),  # three cores behind each of two caches
        ("ryzen-7-5800x3d", 12),  # eight cores behind one: six of them
        ("ryzen-9-7950x", 16),  # eight behind each of two
        ("core-i9-12900k", 16),  # eight fast ones; the host keeps the others
    ],
)
def test_cores_of_this_host(name: str, cpus: int) -> None:
    assert propose(WIN11, topology(name), 32 * GIB, 500 * GIB).cpus == cpus


@pytest.mark.parametrize(
    ("memory", "proposed"), [(4, 4), (8, 4), (16, 8), (31.2, 15), (64, 32), (256, 32)]
)
def test_half_of_the_memory(memory: float, proposed: int) -> None:
    found = propose(WIN11, topology("ryzen-5-1600"), int(memory * GIB), 0)
    assert found.memory == proposed * GIB


def test_a_disk_that_fits() -> None:
    def disk(system: System, free: int) -> int:
        return propose(system, topology("ryzen-5-1600"), 32 * GIB, free * GIB).disk // GIB

    assert [disk(WIN11, free) for free in (0, 500, 80, 10)] == [100, 100, 64, 64]
    assert [disk(LINUX, free) for free in (0, 500, 80, 10)] == [100, 100, 64, 32]


def test_a_host_of_which_nothing_is_known() -> None:
    nothing = Topology("", "", frozenset(), (), ())
    assert propose(WIN11, nothing, 0, 0) == Sizes(4 * GIB, 2, 100 * GIB)
