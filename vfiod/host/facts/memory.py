"""Memory and huge pages of the host, in bytes (proc_meminfo(5))."""

import re
from dataclasses import dataclass
from pathlib import Path

from vfiod.util import sysfs

_LINE = re.compile(r"(\w+):\s+(\d+)( kB)?")


@dataclass(frozen=True, slots=True)
class Memory:
    """``page`` is the size of one huge page of the default size; ``pages`` and ``free`` counts."""

    total: int
    available: int
    page: int
    pages: int
    free: int


def read_memory(root: Path = Path("/")) -> Memory:
    """Read /proc/meminfo; what it does not tell is 0."""
    text = sysfs.read(root / "proc/meminfo") or ""
    lines = [match for match in map(_LINE.fullmatch, text.splitlines()) if match]
    values = {
        name: int(number) * (1024 if unit else 1)
        for name, number, unit in (match.groups() for match in lines)
    }
    return Memory(
        total=values.get("MemTotal", 0),
        available=values.get("MemAvailable", 0),
        page=values.get("Hugepagesize", 0),
        pages=values.get("HugePages_Total", 0),
        free=values.get("HugePages_Free", 0),
    )
