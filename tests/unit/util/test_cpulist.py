"""Lists of CPUs, read and written as the kernel does."""

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfiod.util import cpulist


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        ("", set()),
        ("0", {0}),
        ("0-3", {0, 1, 2, 3}),
        ("0-1,12-13", {0, 1, 12, 13}),
        ("5,3,3-4", {3, 4, 5}),
        (" 1 , 2-3 ", {1, 2, 3}),
        ("8191", {8191}),
    ],
)
def test_a_list_is_read(text: str, cpus: set[int]) -> None:
    assert cpulist.parse(text) == cpus


@pytest.mark.parametrize(
    "text",
    ["a", "-1", "1-", "3-1", "0,,1", ",", "8192", "0-8192", "0-99999", "0x1", "1.0", "^1", "٣"],
)
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="CPU"):
        cpulist.parse(text)


@pytest.mark.parametrize(
    ("cpus", "text"),
    [
        (set(), ""),
        ({7}, "7"),
        ({1, 0}, "0-1"),
        ({0, 1, 12, 13, 15}, "0-1,12-13,15"),
    ],
)
def test_a_list_is_written(cpus: set[int], text: str) -> None:
    assert cpulist.write(cpus) == text


@given(st.frozensets(st.integers(0, cpulist.MAX_CPU), max_size=60))
def test_what_is_written_reads_back(cpus: frozenset[int]) -> None:
    assert cpulist.parse(cpulist.write(cpus)) == cpus


@pytest.mark.parametrize(
    ("cpus", "mask"),
    [
        ((), "00000000"),
        ((0, 1, 4), "00000013"),
        (range(32), "ffffffff"),
        ((0, 32), "00000001,00000001"),
        ((71,), "00000080,00000000,00000000"),
    ],
)
def test_a_mask_is_as_the_kernel_reads_it(cpus: Collection[int], mask: str) -> None:
    assert cpulist.mask(cpus) == mask
