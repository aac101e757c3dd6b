"""What kernel-install(8) is told to make of a kernel: entries or unified images."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from vfiod.util import sysfs

# Of a file that is in several, the first one counts.
_FOLDERS = ("etc/kernel", "run/kernel", "usr/local/lib/kernel", "usr/lib/kernel")
_CONF = "install.conf"
FILES = tuple(
    f"{folder}/{name}" for folder in _FOLDERS for name in (_CONF, f"{_CONF}.d/*.conf")
)  # fmt: skip
_LAYOUT = re.compile(r"^\s*layout\s*=\s*[\"']?([\w-]+)", re.MULTILINE)


def read_layout(root: Path) -> str:
    """The last word on it, empty if there is none: a drop-in counts more than the file."""
    said = [word for path in _read(root) for word in _LAYOUT.findall(sysfs.read(path) or "")]
    return said[-1] if said else ""


def _read(root: Path) -> Iterator[Path]:
    """In the order in which they are read."""
    mains = (root / folder / _CONF for folder in _FOLDERS)
    yield from [path for path in mains if os.path.exists(path)][:1]  # False if it is closed to us
    drop_ins: dict[str, Path] = {}
    for folder in _FOLDERS:
        for path in (root / folder).glob(f"{_CONF}.d/*.conf"):
            drop_ins.setdefault(path.name, path)
    yield from (drop_ins[name] for name in sorted(drop_ins))
