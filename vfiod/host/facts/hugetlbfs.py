"""Which sizes of huge pages libvirt finds a file system for, to give a guest its memory from.

It takes every hugetlbfs that is mounted when it starts, or those that hugetlbfs_mount in qemu.conf
names (libvirt: virfile.c, virFileFindHugeTLBFS; qemu.conf). systemd mounts one of the default size
(dev-hugepages.mount). What was mounted after libvirt's start is not told apart here.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from vfiod import paths
from vfiod.host.facts.memory import read_memory
from vfiod.host.facts.mounts import read_table
from vfiod.util import sysfs

_KIND = "hugetlbfs"
# As the kernel writes it, and mount(8) takes it (kernel: fs/hugetlbfs/inode.c).
_SIZE = re.compile(r"(?:^|,)pagesize=([0-9]+)([KMG]?)", re.IGNORECASE)
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}
_NAMED = re.compile(r"^[ \t]*hugetlbfs_mount\s*=\s*(\[[^\]]*\]|\S+)", re.MULTILINE)
_WORD = re.compile(r"\"([^\"]*)\"|'([^']*)'")


def read_mounted(root: Path = Path("/")) -> frozenset[int]:
    """Their sizes in bytes; of qemu.conf nothing is known to who may not read it."""
    mounts = dict(_mounts(root))
    named = [_size_at(path, mounts) for path in _named(root)]
    # libvirt does not start if one of them is none; so what seems to be none is not understood.
    sizes: Collection[int | None] = named if named and all(named) else mounts.values()
    return frozenset(size for size in sizes if size)


def _mounts(root: Path) -> Iterator[tuple[str, int]]:
    """Mount points, each with its size of page."""
    for row in read_table(root):
        if row.kind == _KIND:
            found = _SIZE.search(row.options)
            size = int(found[1]) * _UNITS[found[2].upper()] if found else read_memory(root).page
            yield row.point, size


def _named(root: Path) -> Iterator[str]:
    text = sysfs.read(paths.below(root, paths.LIBVIRT) / "qemu.conf") or ""
    if setting := _NAMED.search(text):
        yield from (one or other for one, other in _WORD.findall(setting[1]))


def _size_at(path: str, mounts: Mapping[str, int]) -> int | None:
    """Of the file system that a path is on, if it is one of these."""
    path = os.path.normpath(path)
    places = [point for point in mounts if path == point or path.startswith(f"{point}/")]
    return mounts[max(places, key=len)] if places else None
