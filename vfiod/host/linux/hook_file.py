"""Installs the libvirt hook as a real file: AppArmor resolves links and denies their targets.

libvirt looks for hooks at its start and at a reload only (libvirt: docs/hooks.rst), so a new
file is followed by a reload of the daemon that runs. A file that it may not execute it passes over
without a word (src/util/virhook.c), so the label counts as the mode does.
"""

import stat
from pathlib import Path

from vfiod.errors import HostError
from vfiod.host.facts import selinux
from vfiod.host.facts.boot import read_distribution
from vfiod.host.facts.packages import Need, remedy
from vfiod.host.linux.process import run
from vfiod.host.linux.units import LinuxUnits
from vfiod.paths import HOOK, HOOK_MARK, HOOK_SOURCE
from vfiod.util.files import remove_unfinished, replace_file

DAEMONS = ("libvirtd.service", "virtqemud.service")
_RELOAD_SECONDS = 30.0
_RELABEL_SECONDS = 30.0


def install(source: Path = HOOK_SOURCE, target: Path = HOOK) -> bool:
    """Bring the hook up to date; True if it was written, and libvirt must be told.

    Raises HostError if libvirt is not installed or a file that is not ours is in the way.
    """
    wanted = _read(source)
    if wanted is None:
        raise HostError(f"{source} is missing", "install the vfiod package again")
    _remove_unfinished(target)
    if not _needs_writing(target, wanted):
        return False
    if not target.parent.parent.parent.is_dir():
        how = remedy(read_distribution(), Need.LIBVIRT)
        raise HostError("libvirt is not installed", f"{how}; then: sudo systemctl restart vfiod")
    try:
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        _write(target, wanted)
    except OSError as error:
        raise HostError(f"cannot install {target}: {error.strerror}") from error
    return True


def relabel(target: Path = HOOK, root: Path = Path("/")) -> None:
    """Have the hook labelled as SELinux's policy says, where it is on and that is not so.

    A folder that is new has the type of the one above it, /etc/libvirt, and so has what is in it.

    Raises HostError if that failed, and KernelStuck.
    """
    found = selinux.type_of(target)
    if not selinux.is_on(root) or found == selinux.HOOK_TYPE:
        return
    argv = (*selinux.RELABEL[:-1], str(target.parent.parent))
    try:
        run(argv, seconds=_RELABEL_SECONDS)
    except HostError as error:
        text = f"{target} keeps the SELinux type {found or 'that it has'}: {error.message}"
        raise HostError(
            text, f"guests may start without vfiod; run: sudo {' '.join(argv)}"
        ) from error


def announce(units: LinuxUnits) -> str:
    """Make the libvirt daemon that runs look for hooks again. Returns what was done.

    Only once vfiod itself counts as started: libvirt's units are ordered after it, and a
    reload of theirs would wait for us while we wait for it.
    """
    reloaded = [name for name in DAEMONS if units.reload_if_active(name, seconds=_RELOAD_SECONDS)]
    return f"hook installed at {HOOK}" + (f"; reloaded {', '.join(reloaded)}" if reloaded else "")


def _write(target: Path, text: bytes) -> None:
    """libvirt runs everything executable in the folder of the hook, by whatever name, and in the
    one above it fixed names only (libvirt: src/util/virhook.c): there a crash may leave a part.
    """
    try:
        replace_file(target, text, mode=0o755, beside=target.parent.parent)
    except OSError:
        # Another file system, or closed: then nothing can be executed before it has its name.
        replace_file(target, text, mode=0o600)
        target.chmod(0o755)


def _remove_unfinished(target: Path) -> None:
    """A second hook would hand over what the first has handed over. Raises HostError."""
    try:
        for folder in (target.parent, target.parent.parent):
            remove_unfinished(target, folder)
    except OSError as error:
        text = f"{error.filename} is a part of the hook and cannot be removed: {error.strerror}"
        raise HostError(text, "remove it: libvirt would run it beside the hook") from error


def _needs_writing(target: Path, wanted: bytes) -> bool:
    present = _read(target)
    if present is not None and HOOK_MARK not in present:
        raise HostError(
            f"{target} is not vfiod's own file, it was left alone",
            "guests start without vfiod until it is moved away: then sudo systemctl restart vfiod",
        )
    return present != wanted or not target.stat().st_mode & stat.S_IXUSR


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
