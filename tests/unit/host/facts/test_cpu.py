"""Processors read from recorded /sys trees."""

from pathlib import Path

import pytest

from tests.fakes.topologies import CPU, NAMES, load, materialise
from tests.fakes.tree import grow
from vfiod.host.facts.cpu import Topology, read_topology

# Cores, of which efficient, caches in MiB, memory nodes.
SHAPES = {
    "core-i9-12900k": (16, 8, (30,), 1),
    "ryzen-5-1600": (6, 0, (8, 8), 1),
    "ryzen-7-5800x3d": (8, 0, (96,), 1),
    "ryzen-9-3900x": (12, 0, (16, 16, 16, 16), 1),
    "ryzen-9-7950x": (16, 0, (32, 32), 1),
    "ryzen-9-7950x3d": (16, 0, (96, 32), 1),
    "two-xeon-e5-2680v2": (20, 0, (25, 25), 2),
}


def read(name: str, root: Path) -> Topology:
    return read_topology(materialise(name, root))


@pytest.mark.parametrize("name", NAMES)
def test_shape(name: str, tmp_path: Path) -> None:
    found = read(name, tmp_path)
    efficient = sum(core.efficient for core in found.cores)
    caches = tuple(size // 2**20 for size in found.caches)
    assert (len(found.cores), efficient, caches, len(found.nodes)) == SHAPES[name]
    assert len(found.cpus) == len(load(name)[1])


def test_threads_of_a_core_are_found_however_they_are_numbered(tmp_path: Path) -> None:
    assert [core.cpus for core in read("ryzen-5-1600", tmp_path / "a").cores][:2] == [
        (0, 1),
        (2, 3),
    ]
    assert [core.cpus for core in read("ryzen-9-7950x", tmp_path / "b").cores][:2] == [
        (0, 16),
        (1, 17),
    ]


def test_names_and_flags(tmp_path: Path) -> None:
    found = read("ryzen-5-1600", tmp_path)
    assert found.vendor == "AuthenticAMD"
    assert found.model == "AMD Ryzen 5 1600 Six-Core Processor"
    assert {"svm", "topoext"} < found.flags


def test_the_id_of_a_cache_counts_where_its_list_is_wrong(tmp_path: Path) -> None:
    """What Linux 4.13 showed of a Ryzen 5 1600 (github.com/lpereira/hardinfo/issues/210)."""
    root = materialise("ryzen-5-1600", tmp_path)
    for cpu in range(6, 12):
        wrong = "6-9" if cpu < 10 else "10-11"
        (root / CPU / f"cpu{cpu}/cache/index3/shared_cpu_list").write_text(f"{wrong}\n")
    assert [core.cache for core in read_topology(root).cores] == [0, 0, 0, 1, 1, 1]


def test_caches_without_ids_are_told_by_their_lists(tmp_path: Path) -> None:
    root = materialise("ryzen-9-3900x", tmp_path)
    for path in root.glob(f"{CPU}/cpu*/cache/index3/id"):
        path.unlink()
    assert [core.cache for core in read_topology(root).cores] == [
        0,
        0,
        0,
        1,
        1,
        1,
        2,
        2,
        2,
        3,
        3,
        3,
    ]


def test_a_cpu_that_is_offline_does_not_count(tmp_path: Path) -> None:
    root = materialise("ryzen-5-1600", tmp_path)
    (root / CPU / "online").write_text("0-10\n")
    (root / CPU / "cpu10/topology/thread_siblings_list").write_text("10\n")
    assert read_topology(root).cores[-1].cpus == (10,)


def test_kinds_of_cores_are_told_by_capacity_where_nothing_else_says(tmp_path: Path) -> None:
    root = materialise("core-i9-12900k", tmp_path)
    (root / "sys/devices/cpu_atom/cpus").unlink()
    by_frequency = read_topology(root)
    for cpu in range(24):
        (root / CPU / f"cpu{cpu}/cpu_capacity").write_text("1024\n" if cpu < 20 else "600\n")
    by_capacity = read_topology(root)
    assert [core.cpus[0] for core in by_frequency.cores if core.efficient] == list(range(16, 24))
    assert [core.cpus[0] for core in by_capacity.cores if core.efficient] == [20, 21, 22, 23]


def test_favoured_cores_are_not_another_kind(tmp_path: Path) -> None:
    assert not any(core.efficient for core in read("ryzen-9-7950x3d", tmp_path).cores)


def test_cpus_set_aside_at_boot(tmp_path: Path) -> None:
    root = materialise("ryzen-5-1600", tmp_path)
    (root / CPU / "isolated").write_text("6-11\n")
    assert read_topology(root).isolated == set(range(6, 12))


def test_a_kernel_that_says_little(tmp_path: Path) -> None:
    grow(tmp_path, {f"{CPU}/online": "0-1\n", f"{CPU}/isolated": "(null)\n"})
    found = read_topology(tmp_path)
    assert [core.cpus for core in found.cores] == [(0,), (1,)]
    assert found.caches == (0, 0)
    assert not found.isolated


def test_no_sys_at_all(tmp_path: Path) -> None:
    assert read_topology(tmp_path).cores == ()
