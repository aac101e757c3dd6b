"""What the login screen offers: the sessions that are installed, and where it looks for more.

Each display manager has folders of its own making. All read /usr/share; GDM (daemon/gdm-session.c)
and tuigreet (src/info.rs) follow XDG_DATA_DIRS, SDDM has /usr/local/share since 0.20
(src/common/Configuration.h), and LightDM has neither (configure.ac, SESSIONS_DIR).
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vfiod import paths
from vfiod.host.facts.desktop import read_desktop
from vfiod.model import ENTRY
from vfiod.util import sysfs

WAYLAND, X11 = "wayland", "x11"
# By logind's word for a session's type; the first folder counts where a name is in both.
FOLDERS = {
    WAYLAND: (paths.WAYLAND_SESSIONS, paths.WAYLAND_SESSIONS_LOCAL),
    X11: (paths.X_SESSIONS, paths.X_SESSIONS_LOCAL),
}
# They know no other sessions, or keep their X server for the session, which can show a window then.
_OF_X = frozenset({"lightdm", "lxdm", "slim", "xdm"})
_GDM = ("etc/gdm3/custom.conf", "etc/gdm3/daemon.conf", "etc/gdm/custom.conf")
_NO_WAYLAND = re.compile(r"^\s*WaylandEnable\s*=\s*false\s*$", re.MULTILINE | re.IGNORECASE)
_LEFT_OUT = re.compile(r"^(?:Hidden|NoDisplay)\s*=\s*true\s*$", re.MULTILINE)
_GUEST = re.compile(r"^X-Vfiod-Guest=(.+)$", re.MULTILINE)
_ESCAPED = re.compile(r"\\(.)")
# openSUSE's one unit for all of them starts what this points to.
_ALTERNATIVE = "etc/alternatives/default-displaymanager"


@dataclass(frozen=True, slots=True)
class Offered:
    """A session that can be chosen: its file's name without .desktop, its type, its folder."""

    name: str
    kind: str
    folder: Path


def read_sessions(root: Path = Path("/")) -> tuple[Offered, ...]:
    """Those that are installed; guests' entries are none."""
    found = {(one.name, one.kind): one for one in reversed(tuple(_sessions(root)))}
    return tuple(sorted(found.values(), key=lambda one: (one.name, one.kind)))


def _sessions(root: Path) -> Iterator[Offered]:
    for kind, folders in FOLDERS.items():
        for folder in folders:
            for file in sysfs.names(paths.below(root, folder)):
                name, dot, _ = file.rpartition(".desktop")
                text = sysfs.read(paths.below(root, folder) / file) or ""
                if dot and not name.startswith(ENTRY) and not _LEFT_OUT.search(text):
                    yield Offered(name, kind, folder)


def guest_of(uuid: str, root: Path = Path("/")) -> str:
    """The name in the entry of the guest with this UUID; empty if there is none."""
    for folder in (folder for both in FOLDERS.values() for folder in both):
        text = sysfs.read(paths.below(root, folder) / f"{ENTRY}-{uuid}.desktop") if uuid else None
        if found := _GUEST.search(text or ""):
            return _ESCAPED.sub(lambda match: " " if match[1] == "s" else match[1], found[1])
    return ""


def folder_for_entries(root: Path = Path("/")) -> Path | None:
    """Where a guest's entry goes; None without a display manager, or where none looks (NixOS)."""
    manager = _manager(root)
    if not manager or (root / "etc/NIXOS").exists():
        return None
    usual, local = FOLDERS[X11 if _wants_x(manager, root) else WAYLAND]
    return usual if _is_writable(root) else local


def _manager(root: Path) -> str:
    unit = read_desktop(root).manager.removesuffix(".service")
    chosen = sysfs.read_link(root / _ALTERNATIVE) or ""
    return chosen if chosen and unit.startswith("display-manager") else unit


def _wants_x(manager: str, root: Path) -> bool:
    if manager in ("gdm", "gdm3"):
        return any(_NO_WAYLAND.search(sysfs.read(root / path) or "") for path in _GDM)
    return manager in _OF_X


def _is_writable(root: Path) -> bool:
    """By root: /usr is no image, and not mounted read-only."""
    if (root / "run/ostree-booted").exists():
        return False
    try:
        return not os.statvfs(root / "usr").f_flag & os.ST_RDONLY
    except OSError:
        return False
