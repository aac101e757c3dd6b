"""Huge pages (kernel: admin-guide/mm/hugetlbpage.rst, transhuge.rst, sysctl/vm.rst)."""

import re
from pathlib import Path

from vfiod.host.facts.hugetlbfs import read_mounted
from vfiod.host.linux import attributes
from vfiod.host.performance import HugePagePool
from vfiod.util import sysfs

_CHOSEN = re.compile(r"\[(\w+)\]")
_DEFAULT_SIZE = re.compile(r"^Hugepagesize:\s+([0-9]+) kB$", re.MULTILINE)


class LinuxHugePages:
    """Implements vfiod.host.performance.HugePages."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._pools = root / "sys/kernel/mm/hugepages"
        self._transparent = root / "sys/kernel/mm/transparent_hugepage/enabled"
        self._compact = root / "proc/sys/vm/compact_memory"
        self._meminfo = root / "proc/meminfo"

    def pool(self, size: int | None) -> HugePagePool | None:
        size = size or self._default_size()
        if not size or not self._folder(size).is_dir():
            return None

        def count(name: str) -> int:
            return int(sysfs.read(self._folder(size) / name) or 0)

        # Reserved pages still count as free, but are promised to somebody.
        free = count("free_hugepages") - count("resv_hugepages")
        return HugePagePool(size, count("nr_hugepages"), max(0, free))

    def mounted(self) -> frozenset[int]:
        return read_mounted(self._root)

    def resize(self, size: int, count: int) -> None:
        # Stops by itself at the first page it cannot have (kernel: mm/hugetlb.c).
        attributes.write(self._folder(size) / "nr_hugepages", str(count))

    def compact(self) -> None:
        # One pass over each zone, so it ends by itself (kernel: mm/compaction.c).
        attributes.write(self._compact, "1")

    def transparent(self) -> str | None:
        found = _CHOSEN.search(sysfs.read(self._transparent) or "")
        return found[1] if found else None

    def set_transparent(self, mode: str) -> None:
        attributes.write(self._transparent, mode)

    def _folder(self, size: int) -> Path:
        return self._pools / f"hugepages-{size // 1024}kB"

    def _default_size(self) -> int:
        found = _DEFAULT_SIZE.search(sysfs.read(self._meminfo) or "")
        return int(found[1]) * 1024 if found else 0
