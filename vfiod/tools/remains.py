"""What is vfiod's on this host, beside the package's own files: for whoever wants it gone."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vfiod import paths
from vfiod.host.facts.textfiles import read_bytes
from vfiod.util import sysfs

SETUP_FILES = (paths.GRUB_DROP_IN, paths.MODPROBE, paths.MODULES)
LAUNCHER = b"\nX-Vfiod-Guest="
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
    undo, remove, purge = "sudo vfiod setup --undo", "sudo apt remove vfiod", "sudo apt purge vfiod"
    if _there(root, paths.JOURNAL):
        yield paths.JOURNAL, "a guest has devices of this host", "sudo vfiod return"
    if _there(root, paths.SETUP_STATE):
        yield paths.SETUP_STATE, "changes of `vfiod setup` to this host", undo
    for path in SETUP_FILES:
        if _there(root, path):
            yield path, "configuration that `vfiod setup` wrote", undo
    if paths.HOOK_MARK in (read_bytes(paths.below(root, paths.HOOK)) or b""):
        yield paths.HOOK, "the hook through which libvirt calls vfiod", remove
    for path in _inside(root, paths.APPLICATIONS):
        if LAUNCHER in (read_bytes(paths.below(root, path)) or b""):
            yield path, "a guest's entry in the applications menu", remove
    for path in _inside(root, paths.ROM_STAGE):
        # What has no mark is somebody's own.
        if path.suffix == _ROM_MARK or _there(root, path.with_name(f".{path.name}{_ROM_MARK}")):
            yield path, "a ROM that is kept for QEMU", remove
    if _there(root, paths.CONFIG_FOLDER):
        yield paths.CONFIG_FOLDER, "vfiod's configuration", purge
    for path in _inside(root, paths.BACKUPS):
        yield path, "a guest's definition as it was before a change", purge
    if _there(root, paths.RUN):
        yield paths.RUN, "the state of the running service", remove


def _there(root: Path, path: Path) -> bool:
    return paths.below(root, path).exists()


def _inside(root: Path, folder: Path) -> Iterator[Path]:
    return (folder / name for name in sysfs.names(paths.below(root, folder)))
