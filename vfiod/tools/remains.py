"""What is vfiod's on this host, beside the package's own files: for whoever wants it gone."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vfiod import paths
from vfiod.errors import DomainError
from vfiod.guest import passed, tree
from vfiod.guest.backups import Backups
from vfiod.host.facts import loginscreen, packages, romstage
from vfiod.host.facts.boot import read_distribution
from vfiod.host.facts.textfiles import read_bytes
from vfiod.util import sysfs
from vfiod.util.typed import virsh

SETUP_FILES = (paths.GRUB_DROP_IN, paths.MODPROBE, paths.MODULES)
LAUNCHER = b"\nX-Vfiod-Guest="
_GREETD = f"{paths.PROGRAM} session ".encode()
_ROM_MARK = ".sha256"
_WILL_NOT_START = "a guest with devices that only vfiod hands over; without vfiod it does not start"


@dataclass(frozen=True, slots=True)
class Remain:
    """Something that is there: its path, what it is, what takes it away."""

    path: str
    what: str
    remedy: str


def read(root: Path = Path("/")) -> tuple[Remain, ...]:
    """All of it, in the order in which it should be taken away."""
    return tuple(Remain(str(path), what, remedy) for path, what, remedy in _found(root))


def _found(root: Path) -> Iterator[tuple[Path, str, str]]:
    undo, remove = "sudo vfiod setup --undo", _removal(root)
    if _there(root, paths.JOURNAL):
        yield paths.JOURNAL, "a guest has devices of this host", "sudo vfiod return --shutdown 60"
    yield from _guests(root)
    if _there(root, paths.SETUP_STATE):
        yield paths.SETUP_STATE, "changes of `vfiod setup` to this host", undo
    for path in SETUP_FILES:
        if _there(root, path):
            yield path, "configuration that `vfiod setup` wrote", undo
    if paths.HOOK_MARK in (read_bytes(paths.below(root, paths.HOOK)) or b""):
        yield paths.HOOK, "the hook through which libvirt calls vfiod", remove
    for path in _roms(root):
        yield path, "a ROM that is kept for QEMU", remove
    for path in _inside(root, paths.APPLICATIONS):
        if LAUNCHER in (read_bytes(paths.below(root, path)) or b""):
            yield path, "a guest's entry in the applications menu", remove
    for path in _at_login(root):
        if LAUNCHER in (read_bytes(paths.below(root, path)) or b""):
            yield path, "a guest's entry in the login screen", remove
    if _GREETD in (read_bytes(paths.below(root, paths.GREETD_ENVIRONMENTS)) or b""):
        yield paths.GREETD_ENVIRONMENTS, "a guest among what the login screen starts", remove
    if _there(root, paths.CONFIG_FOLDER):
        yield paths.CONFIG_FOLDER, "vfiod's configuration", _purge(root, paths.CONFIG_FOLDER)
    for path in _inside(root, paths.BACKUPS):
        yield path, "a guest's definition as it was before a change", _purge(root, paths.BACKUPS)
    if _there(root, paths.RUN):
        yield paths.RUN, "the state of the running service", remove


def _removal(root: Path) -> str:
    by_package = paths.PROGRAM.startswith(("/usr/bin/", "/nix/"))
    return packages.removal(read_distribution(root)) if by_package else "sudo make uninstall"


def _purge(root: Path, path: Path) -> str:
    return packages.purge(read_distribution(root), str(path))


def _roms(root: Path) -> Iterator[Path]:
    """Of what lies in the folders of both kinds; what has no mark is somebody's own."""
    for path in (file for stage in romstage.BOTH for file in _inside(root, stage)):
        if path.suffix == _ROM_MARK or _there(root, path.with_name(f".{path.name}{_ROM_MARK}")):
            yield path


def _at_login(root: Path) -> Iterator[Path]:
    for folders in loginscreen.FOLDERS.values():
        for folder in folders:
            yield from _inside(root, folder)


def _guests(root: Path) -> Iterator[tuple[Path, str, str]]:
    """Guests with devices that libvirt does not manage: it wants them with vfio-pci already.

    libvirt keeps its guests there, one file for each by its name; only root may read them.
    """
    backups = Backups(paths.below(root, paths.BACKUPS))
    for path in _inside(root, paths.DEFINITIONS):
        if path.suffix == ".xml" and _needs_vfiod(read_bytes(paths.below(root, path)) or b""):
            known = backups.newest(path.stem, what="init") is not None
            revert = f"sudo vfiod init {shlex.quote(path.stem)} --revert"
            yield path, _WILL_NOT_START, revert if known else virsh("edit", path.stem)


def _needs_vfiod(definition: bytes) -> bool:
    try:
        hostdevs = tree.read(definition.decode(errors="replace")).iterfind("devices/hostdev")
        return any(passed.is_pci_hostdev(e) and e.get("managed") == "no" for e in hostdevs)
    except DomainError:
        return False


def _there(root: Path, path: Path) -> bool:
    return paths.below(root, path).exists()


def _inside(root: Path, folder: Path) -> Iterator[Path]:
    return (folder / name for name in sysfs.names(paths.below(root, folder)))
