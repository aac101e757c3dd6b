"""Sets of CPUs as the kernel and libvirt write them: ``0-1,12-13`` (cpuset(7), list format)."""

import re
from collections.abc import Collection
from itertools import groupby

MAX_CPU = 8191  # the largest NR_CPUS that a distribution's kernel is built with, less one

_WORD = 32  # the kernel groups a mask's bits by this many
_RANGE = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?", re.ASCII)


def parse(text: str) -> frozenset[int]:
    """Read a list; an empty text is an empty set. Raises ValueError for anything else."""
    parts = text.split(",") if text.strip() else []
    return frozenset(cpu for part in parts for cpu in _range(part.strip()))


def write(cpus: Collection[int]) -> str:
    """Write a list, as short as it can be."""
    ranges = []
    # In a run of neighbours, number and place in the order grow together.
    for _, run in groupby(enumerate(sorted(cpus)), key=lambda pair: pair[1] - pair[0]):
        numbers = [cpu for _, cpu in run]
        ranges.append("-".join(dict.fromkeys((str(numbers[0]), str(numbers[-1])))))
    return ",".join(ranges)


def mask(cpus: Collection[int]) -> str:
    """The same as the hexadecimal mask that the kernel reads (lib/bitmap-str.c, bitmap_parse)."""
    bits = sum(1 << cpu for cpu in cpus)
    words = range(0, max(bits.bit_length(), 1), _WORD)
    return ",".join(f"{bits >> place & (1 << _WORD) - 1:08x}" for place in reversed(words))


def _range(part: str) -> range:
    match = _RANGE.fullmatch(part)
    if match is None:
        raise ValueError(f"not a CPU or a range of CPUs: {part!r}")
    first, last = int(match[1]), int(match[2] or match[1])
    if not first <= last <= MAX_CPU:
        raise ValueError(f"no such range of CPUs: {part!r}")
    return range(first, last + 1)
