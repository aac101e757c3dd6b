"""The table of mounts, and which of them a path is on: a server that is away hangs nobody."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from posixpath import normpath

from vfiod.model import Mount
from vfiod.util import sysfs

# Space, tab, newline and backslash in a mount point (proc(5)).
_ESCAPED = re.compile(r"\\([0-7]{3})")
# Of whoever mounted what FUSE brings; no other file system has such an option.
_USER_ID = re.compile(r"(?:^|,)user_id=(\d+)(?:,|$)", re.ASCII)
# Of a line of mountinfo, up to the options of the mount itself (proc(5)).
_FIELDS = 6


@dataclass(frozen=True, slots=True)
class Row:
    """A line of mountinfo: ``number`` is the device's, ``options`` are the file system's own."""

    number: str
    point: str
    kind: str
    source: str
    options: str


def read_table(root: Path = Path("/")) -> Iterator[Row]:
    """All mounts, the later ones over the earlier; lines that are none are left out."""
    for line in sysfs.lines(root / "proc/self/mountinfo"):
        # Only a space ends a field, as of names these alone are escaped.
        mount, _, what = line.partition(" - ")
        fields, (kind, source, options, *_) = mount.split(" "), [*what.split(" "), "", ""]
        if what and len(fields) >= _FIELDS:
            yield Row(fields[2], _unescaped(fields[4]), kind, source, options)


def read_mounts(paths: Collection[str], root: Path = Path("/")) -> Mapping[str, Mount]:
    """The mount that each path is on; those are left out of which the table says nothing."""
    mounts = [Mount(row.point, row.kind, _served_by(row.options)) for row in read_table(root)]
    found = {path: [m for m in mounts if _is_on(path, m)] for path in paths}
    # The longest; of several at the same place the last covers the others.
    return {
        path: max(enumerate(on), key=lambda pair: (len(pair[1].point), pair[0]))[1]
        for path, on in found.items()
        if on
    }


def _served_by(options: str) -> int | None:
    found = _USER_ID.search(options)
    return int(found[1]) if found else None


def _unescaped(point: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), point)


def _is_on(path: str, mount: Mount) -> bool:
    return mount.holds(normpath(path))
