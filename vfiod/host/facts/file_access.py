"""Whether QEMU, which runs as a user of its own, gets as far as a file of the guest."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

_ACL = "system.posix_acl_access"


@dataclass(frozen=True, slots=True)
class PathAccess:
    """``closed`` is the first directory on the way that others may not enter; empty if none is.

    ``exists`` is None if a directory on the way hides it from the reader as well.
    """

    path: str
    exists: bool | None
    closed: str = ""


def read_path_access(path: str, root: Path = Path("/")) -> PathAccess:
    """Follow the directories of an absolute ``path``.

    libvirt makes the image itself QEMU's, never the directories above it (libvirt:
    docs/drvqemu.rst, POSIX users/groups).
    """
    above = [parent for parent in reversed(Path(path).parents) if parent != Path("/")]
    closed = next((parent for parent in above if _is_closed(_inside(root, parent))), "")
    return PathAccess(path, _exists(_inside(root, Path(path))), str(closed))


def _inside(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _is_closed(directory: Path) -> bool:
    """An access control list may open what the mode closes: then nothing is claimed."""
    try:
        mode = directory.stat().st_mode
    except OSError:
        return False
    if mode & stat.S_IXOTH:
        return False
    try:
        os.getxattr(directory, _ACL)
    except OSError:
        return True
    return False


def _exists(place: Path) -> bool | None:
    try:
        place.stat()
    except PermissionError:
        return None
    except OSError:
        return False
    return True
