"""libvirt on this host: its hooks, and what confines them and QEMU."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vfiod import paths
from vfiod.host.facts import qemu_user, selinux
from vfiod.host.facts.textfiles import closed_folders
from vfiod.util import sysfs

# What scripts do that hand a graphics card over by themselves.
MEDDLING = (
    "vfio-pci", "vfio_pci", "driver_override", "nodedev-detach", "nodedev-reattach",
    "display-manager", "vtconsole", "efi-framebuffer", "/unbind", "vfio-startup", "modprobe -r",
    "rmmod ", "stop sddm", "stop gdm", "stop lightdm",
)  # fmt: skip
PROFILES = ("usr.sbin.libvirtd", "usr.sbin.virtqemud")
_LIMIT = 256 * 1024
_HOOKS_PROGRAMS = ("dbus-send", "logger")
_MAY_RUN = re.compile(r"(usr/)?s?bin/[^/]+")  # of its profile's rules, those for a hook's PATH


@dataclass(frozen=True, slots=True)
class HookPlaces:
    """Where vfiod's hook is installed, where its text comes from, and the line that marks it."""

    target: Path
    source: Path
    mark: bytes


@dataclass(frozen=True, slots=True)
class HookFile:
    """A file in libvirt's hook directory; ``changed`` is its ctime, seconds since 1970.

    ``meddles`` are the words of MEDDLING in it; None if it cannot be read.
    """

    path: str
    executable: bool
    link: bool = False
    changed: float = 0.0
    meddles: tuple[str, ...] | None = ()


@dataclass(frozen=True, slots=True)
class OwnHook:
    """vfiod's hook: is it ``ours``, has it the package's ``current`` text? None if unreadable.

    ``hidden``: a folder on the way is closed to this user, so whether there is one is not known.
    """

    file: HookFile | None
    ours: bool | None = None
    current: bool | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Confinement:
    """``apparmor``: the kernel enforces it; ``profile``: libvirt's profile is installed and on;
    ``disabled``: one that is installed and off.

    ``selinux``: enforcing; ``hooks``: its policy lets virtqemud run them, None if that is not
    known; ``hook_type``: the type in the label of vfiod's own. ``driver`` is what qemu.conf says,
    if it can be read. ``elsewhere``: programs that the hook starts, with their real places, where
    those are not where libvirt's profile lets it run them.
    """

    apparmor: bool
    profile: bool
    selinux: bool
    hooks: bool | None = None
    hook_type: str = ""
    driver: str = ""
    disabled: str = ""
    elsewhere: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Libvirt:
    """All of it; ``installed`` says whether libvirt's configuration directory is there.

    ``closed``: the folder on the way to the hooks that this user may not look into; empty if none.
    """

    installed: bool
    hook: OwnHook
    others: tuple[HookFile, ...]
    confinement: Confinement
    closed: str = ""


def read_libvirt(places: HookPlaces, root: Path = Path("/")) -> Libvirt:
    """Read files only; which daemon runs is for systemd to say."""
    own = root / places.target.relative_to("/")
    return Libvirt(
        installed=paths.below(root, paths.LIBVIRT).is_dir(),
        hook=_own(places, root),
        others=tuple(_other_hooks(root, own)),
        confinement=_confinement(root, own),
        closed=next(iter(closed_folders(root, str(places.target.relative_to("/")))), ""),
    )


def is_hidden(path: Path) -> bool:
    """True if a folder on the way does not let this user see whether there is such a file.

    Fedora closes /etc/libvirt to all but root, openSUSE the folder of the hooks.
    """
    try:
        path.lstat()
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _own(places: HookPlaces, root: Path) -> OwnHook:
    path = root / places.target.relative_to("/")
    if not os.path.lexists(path):
        return OwnHook(None, hidden=is_hidden(path))
    text = _beginning(path)
    wanted = _beginning(root / places.source.relative_to("/"))
    return OwnHook(
        file=_file(path, root),
        ours=None if text is None else places.mark in text,
        current=None if text is None or wanted is None else text == wanted,
    )


def _other_hooks(root: Path, own: Path) -> Iterator[HookFile]:
    """The old single hook, and everything beside ours. libvirt itself skips directories in qemu.d;
    the single hook that many guides install runs what is in GUEST/OPERATION/SUBOPERATION there
    (PassthroughPOST/VFIO-Tools, libvirt_hooks/qemu).
    """
    folder = paths.below(root, paths.LIBVIRT) / "hooks"
    single, beside = folder / "qemu", folder / "qemu.d"
    found = [single, *(beside / name for name in sysfs.names(beside))]
    if os.access(single, os.X_OK):
        found += sorted(beside.glob("*/*/*/*"))
    # Not Path.is_file, which raises where the folder is closed to this user.
    yield from (_file(path, root) for path in found if path != own and os.path.isfile(path))


def _file(path: Path, root: Path) -> HookFile:
    status = path.lstat()
    text = _beginning(path)
    found = None if text is None else tuple(w for w in MEDDLING if w.encode() in text)
    mode = path.stat().st_mode if os.path.exists(path) else 0
    return HookFile(
        path=f"/{path.relative_to(root)}",
        executable=bool(mode & stat.S_IXUSR),
        link=stat.S_ISLNK(status.st_mode),
        changed=status.st_ctime,
        meddles=found,
    )


def _confinement(root: Path, own: Path) -> Confinement:
    settings = qemu_user.read_settings(root)
    return Confinement(
        apparmor=sysfs.read(root / "sys/module/apparmor/parameters/enabled") == "Y",
        profile=any(_is_enabled(root / "etc/apparmor.d", name) for name in PROFILES),
        disabled=next((name for name in PROFILES if _is_disabled(root, name)), ""),
        selinux=selinux.is_enforcing(root),
        hooks=selinux.may_run_hooks(root),
        hook_type=selinux.type_of(own),
        driver=settings.get("security_driver", ""),
        elsewhere=tuple(_elsewhere(root)),
    )


def _elsewhere(root: Path) -> Iterator[tuple[str, str]]:
    """As AppArmor resolves links. A program that is not there at all is not judged here."""
    for name in _HOOKS_PROGRAMS:
        path = root / "usr/bin" / name
        real = str(path.resolve()).removeprefix(str(root.resolve())).lstrip("/")
        if path.exists() and not _MAY_RUN.fullmatch(real):
            yield name, f"/{real}"


def _is_enabled(profiles: Path, name: str) -> bool:
    """aa-disable(8) links a profile into the directory disable."""
    return os.path.exists(profiles / name) and not os.path.lexists(profiles / "disable" / name)


def _is_disabled(root: Path, name: str) -> bool:
    profiles = root / "etc/apparmor.d"
    return os.path.exists(profiles / name) and not _is_enabled(profiles, name)


def _beginning(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(_LIMIT)
    except OSError:
        return None
