"""What is vfiod's on this host, beside the package's own files: for whoever wants it gone."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vfiod import paths
from vfiod.host.facts import packages, romstage
from vfiod.host.facts.boot import read_distribution
from vfiod.host.facts.textfiles import read_bytes
from vfiod.util import sysfs

SETUP_FILES = (paths.GRUB_DROP_IN, paths.MODPROBE, paths.MODULES)
_ROM_MARK = ".sha256"


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
        yield paths.JOURNAL, "a guest has devices of this host", "sudo vfiod return"
    if _there(root, paths.SETUP_STATE):
        yield paths.SETUP_STATE, "changes of `vfiod setup` to this host", undo
    for path in SETUP_FILES:
        if _there(root, path):
            yield path, "configuration that `vfiod setup` wrote", undo
    if paths.HOOK_MARK in (read_bytes(paths.below(root, paths.HOOK)) or b""):
        yield paths.HOOK, "the hook through which libvirt calls vfiod", remove
    for path in _roms(root):
        yield path, "a ROM that is kept for QEMU", remove
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


def _there(root: Path, path: Path) -> bool:
    return paths.below(root, path).exists()


def _inside(root: Path, folder: Path) -> Iterator[Path]:
    return (folder / name for name in sysfs.names(paths.below(root, folder)))
