"""Where built images live: named by a hash of their inputs, published whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def root() -> Path:
    """The cache directory, outside the checkout."""
    chosen = os.environ.get("VFIOD_LAB_CACHE")
    path = Path(chosen) if chosen else Path.home() / ".cache" / "vfiod-lab"
    path.mkdir(parents=True, exist_ok=True)
    return path


def key(*parts: str | bytes) -> str:
    """A short name for these inputs; any change of any part changes it."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:16]


def tree_digest(top: Path) -> bytes:
    """Names, modes and contents of all files below `top`."""
    digest = hashlib.sha256()
    for path in sorted(top.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(top)} {path.stat().st_mode:o}\n".encode())
            digest.update(path.read_bytes())
    return digest.digest()


@contextmanager
def lock(name: str) -> Iterator[None]:
    """Hold the cache entry `name`; a second run waits here until the first has built it."""
    with open(root() / f"{name}.lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def entry(name: str, build: Callable[[Path], None]) -> Path:
    """The directory `name`; made by `build` in a temporary place first if it is missing."""
    final = root() / name
    with lock(name):
        if not final.is_dir():
            _publish(final, build)
    return final


def _publish(final: Path, build: Callable[[Path], None]) -> None:
    work = Path(tempfile.mkdtemp(prefix=f"{final.name}.part-", dir=final.parent))
    try:
        build(work)
        work.chmod(0o755)
        work.rename(final)
    finally:
        shutil.rmtree(work, ignore_errors=True)
