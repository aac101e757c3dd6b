"""Whether QEMU, which runs as a user of its own, gets as far as a file of the guest."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from vfiod.host.facts.qemu_user import Account

_ACL = "system.posix_acl_access"


@dataclass(frozen=True, slots=True)
class PathAccess:
    """``closed`` is the first directory on the way that QEMU may not enter; empty if none is.

    ``exists`` is None if a directory on the way hides it from the reader as well. ``user`` is
    QEMU's; empty if that is not known.
    """

    path: str
    exists: bool | None
    closed: str = ""
    user: str = ""


def read_path_access(
    path: str, root: Path = Path("/"), account: Account | None = None
) -> PathAccess:
    """Follow the directories of an absolute ``path``; ``account`` is QEMU's, as far as known.

    libvirt makes the image itself QEMU's, never the directories above it (libvirt:
    docs/drvqemu.rst, POSIX users/groups).
    """
    above = [parent for parent in reversed(Path(path).parents) if parent != Path("/")]
    closed = next((parent for parent in above if _is_closed(_inside(root, parent), account)), "")
    exists = _exists(_inside(root, Path(path)))
    return PathAccess(path, exists, str(closed), account.name if account else "")


def _inside(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _is_closed(directory: Path, account: Account | None) -> bool:
    """An access control list may open what the mode closes: then nothing is claimed."""
    try:
        status = directory.stat()
    except OSError:
        return False
    if _lets_through(status, account):
        return False
    try:
        os.getxattr(directory, _ACL)
    except OSError:
        return True
    return False


def _lets_through(status: os.stat_result, account: Account | None) -> bool:
    """The first that fits of owner, group and others counts (path_resolution(7)).

    Who is not known may be of the group.
    """
    if account is None:
        return bool(status.st_mode & (stat.S_IXGRP | stat.S_IXOTH))
    if account.is_root:
        return True
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    of_group = status.st_gid in account.gids
    return bool(status.st_mode & (stat.S_IXGRP if of_group else stat.S_IXOTH))


def _exists(place: Path) -> bool | None:
    try:
        place.stat()
    except PermissionError:
        return None
    except OSError:
        return False
    return True
