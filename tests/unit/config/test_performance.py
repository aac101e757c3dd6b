"""performance: in the configuration file, and what is said of what is wrong there."""

import pytest

from vfiod.config.performance import AUTO, NOTHING, Performance
from vfiod.config.schema import parse
from vfiod.errors import ConfigError


def text(key: str) -> str:
    return f"guests:\n  win10:\n    devices: [01:00.0]\n    performance:\n      {key}\n"


def read(key: str) -> Performance:
    return parse(text(key)).guests["win10"].performance


def test_nothing_is_the_default() -> None:
    assert read("") == NOTHING == Performance()


@pytest.mark.parametrize("written", ["0", "'0'", "0-1", '"0-1,12-13"', "0,12"])
def test_cpus_are_read_with_and_without_quotes(written: str) -> None:
    assert 0 in read(f"host_cpus: {written}").host_cpus


@pytest.mark.parametrize(
    ("written", "size"),
    [("auto", AUTO), ("8GiB", 2**33), ("8", 2**33), ("512MiB", 2**29), ("'16GiB'", 2**34)],
)
def test_how_much_in_huge_pages(written: str, size: int) -> None:
    assert read(f"hugepages: {written}").hugepages == size


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("hostcpus: 0", "hostcpus: unknown key; did you mean 'host_cpus'?"),
        ("host_cpus: none", "5:18: guests.win10.performance.host_cpus: 'none' is no list of CPUs"),
        ("host_cpus: 0-", "'0-' is no list of CPUs; write a list of CPUs as lscpu -e numbers them"),
        ("host_cpus: 1.5", "'1.5' is no list of CPUs"),
        ("host_cpus: 0-99999", "'0-99999' is no list of CPUs"),
        ("host_cpus: ''", "host_cpus: no CPUs; write a list of CPUs"),
        ("host_cpus:", "host_cpus: is empty; write a list of CPUs"),
        ("host_cpus: [0, 1]", "host_cpus: is a list; write a list of CPUs as lscpu -e numbers"),
        ("governor: 1", "governor: is 1; write the name of a CPU frequency governor, like"),
        ("governor: ../x", "governor: '../x' is no name; write the name of a CPU frequency"),
        ("energy: Full Power", "energy: 'Full Power' is no name; write the name of an energy"),
        ("hugepages: all", "hugepages: 'all' is no size; write auto, or a size like 8GiB"),
        ("hugepages: 0", "hugepages: '0' is no size; write auto"),
        ("hugepages: 1.5GiB", "hugepages: '1.5GiB' is no size"),
        ("hugepages: 8 GB", "hugepages: '8 GB' is no size"),
        ("hugepages: true", "hugepages: is true; write auto"),
        ("irqs: near", "5:13: guests.win10.performance.irqs: needs host_cpus; write the CPUs that"),
        ("irqs: far", "irqs: is 'far'; write near"),
        ("transparent_hugepages: on", "is 'on'; write always, madvise or never"),
    ],
)
def test_a_fault_says_where_what_and_what_to_write(key: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text(key))
    (fault,) = caught.value.faults
    assert expected in fault
