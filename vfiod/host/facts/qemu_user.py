"""The user that QEMU runs as: by qemu.conf, or what this distribution builds libvirt with."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vfiod import paths
from vfiod.host.facts.boot import read_distribution
from vfiod.util import sysfs

_SETTING = re.compile(r"^\s*(\w+)\s*=\s*\"?([\w.+-]*)\"?", re.MULTILINE)
# Debian's and Arch Linux's; Fedora's and openSUSE's.
_BUILT_IN = ("libvirt-qemu", "qemu")
_ROOT = "root"
_SUPERUSER = 0
# The second of each is where image-based systems have what they bring along (nss-altfiles).
_USERS, _GROUPS = ("etc/passwd", "usr/lib/passwd"), ("etc/group", "usr/lib/group")


@dataclass(frozen=True, slots=True)
class Account:
    """A user with all groups that a process of it is in."""

    name: str
    uid: int
    gids: frozenset[int]

    @property
    def is_root(self) -> bool:
        """True for the one that every directory lets through."""
        return self.uid == _SUPERUSER


def read_settings(root: Path = Path("/")) -> Mapping[str, str]:
    """What qemu.conf sets to one word; nothing if it is not there or cannot be read."""
    text = sysfs.read(paths.below(root, paths.LIBVIRT) / "qemu.conf") or ""
    return dict(_SETTING.findall(text))


def read_account(root: Path = Path("/")) -> Account | None:
    """The user; None if that is not known."""
    settings = read_settings(root)
    wanted = settings.get("user") or _built_in(root)
    if wanted.removeprefix("+") in (_ROOT, "0"):
        return Account(_ROOT, _SUPERUSER, frozenset())
    user = next((u for u in _entries(root, _USERS) if _is_called(u, wanted)), None)
    if user is None:
        return None
    groups = list(_entries(root, _GROUPS))
    gids = {int(user[3]), *(int(g[2]) for g in groups if user[0] in g[3].split(","))}
    own = settings.get("group", "")
    gids |= {int(g[2]) for g in groups if own and _is_called(g, own)}
    return Account(user[0], int(user[2]), frozenset(gids))


def _built_in(root: Path) -> str:
    """NixOS writes a user only if it is not root (nixpkgs: modules/virtualisation/libvirtd.nix)."""
    if read_distribution(root).ident == "nixos":
        return _ROOT
    there = {user[0] for user in _entries(root, _USERS)}
    return next((name for name in _BUILT_IN if name in there), "")


def _is_called(entry: list[str], wanted: str) -> bool:
    """By name or number; a plus says that it is a number (libvirt: virGetUserID)."""
    return wanted == entry[0] or wanted.removeprefix("+") == entry[2]


def _entries(root: Path, files: tuple[str, ...]) -> Iterator[list[str]]:
    """Lines of passwd(5) or group(5) with their numbers in place."""
    for file in files:
        for line in sysfs.lines(root / file):
            entry = line.split(":")
            if len(entry) > 3 and entry[2].isdecimal():
                yield entry
