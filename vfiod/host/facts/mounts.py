"""Which file system a path is on, by the table of mounts: whose server is away hangs nobody."""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from vfiod.model import Mount
from vfiod.util import sysfs

# Space, tab, newline and backslash in a mount point (proc(5)).
_ESCAPED = re.compile(r"\\([0-7]{3})")
# Before the mount point in a line of mountinfo.
_BEFORE = 4


def read_mounts(paths: Collection[str], root: Path = Path("/")) -> Mapping[str, Mount]:
    """The mount that each path is on; those are left out of which the table says nothing."""
    mounts = list(_mounts(root))
    found = {path: [m for m in mounts if _is_on(path, m)] for path in paths}
    # The longest; of several at the same place the last covers the others.
    return {
        path: max(enumerate(on), key=lambda pair: (len(pair[1].point), pair[0]))[1]
        for path, on in found.items()
        if on
    }


def _mounts(root: Path) -> Iterator[Mount]:
    for line in sysfs.lines(root / "proc/self/mountinfo"):
        mount, _, what = line.partition(" - ")
        fields = mount.split(" ")
        if what and len(fields) > _BEFORE:
            point = _ESCAPED.sub(lambda found: chr(int(found[1], 8)), fields[_BEFORE])
            yield Mount(point, what.partition(" ")[0])


def _is_on(path: str, mount: Mount) -> bool:
    return mount.holds(os.path.normpath(path))
