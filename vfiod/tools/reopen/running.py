"""The processes of the user who runs this, as far as /proc shows them to that user (proc(5))."""

import os
from collections.abc import Sequence
from pathlib import Path

from vfiod.tools.reopen.opened import Process
from vfiod.tools.reopen.runners import is_interpreter
from vfiod.util import sysfs

_DISPLAYS = (b"DISPLAY=", b"WAYLAND_DISPLAY=")
_LAUNCHED = b"GIO_LAUNCHED_DESKTOP_FILE"
_SLICE = "user.slice"
_KINDS = (".slice", ".service", ".scope")
_LONGEST = 64  # arguments that are looked at
# Of /proc/PID/stat, after the name.
_PARENT, _BEGUN = 1, 19
_TICKS = os.sysconf("SC_CLK_TCK")


def read_processes(uid: int, root: Path = Path("/")) -> Sequence[Process]:
    """Those in the user's own units; a container of the system's is nobody's desktop."""
    found = (_read(folder, uid, root) for folder in _folders(root))
    return [process for process in found if process is not None]


def read_others(uid: int, root: Path = Path("/")) -> Sequence[Process]:
    """Those of other users, who begin what sudo is given: their parents, and the words they were
    begun with, which anybody may read.
    """
    found = (_read_other(folder, uid, root) for folder in _folders(root))
    return [process for process in found if process is not None]


def _folders(root: Path) -> Sequence[Path]:
    folders = [root / "proc" / name for name in sysfs.names(root / "proc") if name.isdecimal()]
    return sorted(folders, key=lambda folder: int(folder.name))


def _read_other(folder: Path, uid: int, root: Path) -> Process | None:
    """None if it is the user's, one of the kernel's, or has ended. Its program is what it says."""
    try:
        is_other = folder.stat().st_uid != uid
        program, *arguments = _words(folder)
        parent = int(_status(folder)[_PARENT])
    except (OSError, ValueError, IndexError):
        return None
    if not (is_other and program):
        return None
    script = _script(program, arguments, root)
    return Process(
        int(folder.name), parent, script or program, tuple(arguments),
        is_graphical=False, is_script=bool(script),
    )  # fmt: skip


def _read(folder: Path, uid: int, root: Path) -> Process | None:
    """None if it is somebody else's, or has ended."""
    try:
        if folder.stat().st_uid != uid:
            return None
        program = os.readlink(folder / "exe").removesuffix(" (deleted)")
        _, *arguments = _words(folder)
        environment = (folder / "environ").read_bytes().split(b"\0")
        status = _status(folder)
        parent, seconds = int(status[_PARENT]), _uptime(root) - int(status[_BEGUN]) / _TICKS
    except (OSError, ValueError, IndexError):
        return None
    units = _units(sysfs.read(folder / "cgroup") or "")
    if _SLICE not in units[:1]:
        return None
    script = _script(program, arguments, root)
    return Process(
        pid=int(folder.name),
        parent=parent,
        program=script or program,
        arguments=tuple(arguments),
        units=units,
        is_graphical=any(line.startswith(_DISPLAYS) for line in environment),
        is_script=bool(script),
        entry=_entry(environment, folder.name),
        seconds=seconds,
    )


def _words(folder: Path) -> list[str]:
    """What it was begun with, without the empty ones but for the first. Raises OSError."""
    program, *arguments = (folder / "cmdline").read_bytes().split(b"\0")[:_LONGEST]
    return [word.decode(errors="replace") for word in (program, *filter(None, arguments))]


def _status(folder: Path) -> list[bytes]:
    """What stat has after the name, which the kernel cuts after 15 bytes, within a letter too.
    Raises OSError.
    """
    return (folder / "stat").read_bytes().rpartition(b")")[2].split()


def _uptime(root: Path) -> float:
    return float((sysfs.read(root / "proc/uptime") or "0").split()[0])


def _entry(environment: Sequence[bytes], pid: str) -> str:
    """The entry that GLib began just this process by: what it has begun inherits the variables."""
    values = dict(line.split(b"=", 1) for line in environment if b"=" in line)
    if values.get(_LAUNCHED + b"_PID") != pid.encode():
        return ""
    return values.get(_LAUNCHED, b"").decode(errors="replace")


def _units(text: str) -> tuple[str, ...]:
    """The parts of the control group's path that are units of systemd's."""
    path = next((line[3:] for line in sysfs.parts(text) if line.startswith("0::")), "")
    return tuple(part for part in path.split("/") if part.endswith(_KINDS))


def _script(program: str, arguments: Sequence[str], root: Path) -> str:
    """The file that an interpreter runs; empty if it is none, or runs no file."""
    if not is_interpreter(program):
        return ""
    script = next((word for word in arguments if not word.startswith("-")), "")
    return os.path.realpath(script) if script.startswith("/") else ""
