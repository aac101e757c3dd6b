"""What is vfiod's on this host, beside the package's own files: for whoever wants it gone."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vfiod.host.facts.textfiles import read_bytes
from vfiod.util import sysfs

HOOK = "etc/libvirt/hooks/qemu.d/50-vfiod"
HOOK_MARK = b"# Installed by vfiod.service"
SETUP_FILES = (
    "etc/default/grub.d/50-vfiod.cfg",
    "etc/modprobe.d/vfiod.conf",
    "etc/modules-load.d/vfiod.conf",
)
STAGE = "usr/share/vgabios/vfiod"
MARK = ".sha256"
STATE = "var/lib/vfiod"


@dataclass(frozen=True, slots=True)
class Remain:
    """Something that is there: its path, what it is, what takes it away."""

    path: str
    what: str
    remedy: str


def read(root: Path = Path("/")) -> tuple[Remain, ...]:
    """All of it, in the order in which it should be taken away."""
    return tuple(Remain(f"/{path}", what, remedy) for path, what, remedy in _found(root))


def _found(root: Path) -> Iterator[tuple[str, str, str]]:
    undo, purge = "sudo vfiod setup --undo", "sudo apt purge vfiod"
    if (root / "run/vfiod/journal.json").exists():
        yield "run/vfiod/journal.json", "a guest has devices of this host", "sudo vfiod return"
    if (root / STATE / "setup.json").exists():
        yield f"{STATE}/setup.json", "changes of `vfiod setup` to this host", undo
    for path in SETUP_FILES:
        if (root / path).exists():
            yield path, "configuration that `vfiod setup` wrote", undo
    if HOOK_MARK in (read_bytes(root / HOOK) or b""):
        yield HOOK, "the hook through which libvirt calls vfiod", "sudo apt remove vfiod"
    for name in sysfs.names(root / STAGE):
        # What has no mark is somebody's own.
        if name.endswith(MARK) or (root / STAGE / f".{name}{MARK}").exists():
            yield f"{STAGE}/{name}", "a ROM that is kept for QEMU", "sudo apt remove vfiod"
    if (root / "etc/vfiod").exists():
        yield "etc/vfiod", "vfiod's configuration", purge
    for name in sysfs.names(root / STATE / "backups"):
        yield f"{STATE}/backups/{name}", "a guest's definition as it was before a change", purge
    if (root / "run/vfiod").exists():
        yield "run/vfiod", "the state of the running service", "sudo apt remove vfiod"
