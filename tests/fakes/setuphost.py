"""A host for setup: a tree on disk, and the programs that setup runs, as far as they matter.

update-grub writes down what GRUB's files say, so that a test sees whether it ran after the last
change of them. Any change of the tree can be made the last one before a kill.
"""

import os
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vfiod.errors import HostError

MENU = "boot/grub/grub.cfg"
KILLED = 137
_CHANGES = frozenset(
    {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.chown", "shutil.rmtree"}
)


class SetupHost:
    """``root`` is the machine's tree, ``state`` where setup keeps its manifest."""

    def __init__(self, root: Path, files: Mapping[str, str | bytes] | None = None) -> None:
        self.root = root
        self.state = root / "var/lib/vfiod"
        self.programs: list[tuple[str, ...]] = []
        self.told: list[str] = []
        self.failing: set[str] = set()
        for name, data in (files or {}).items():
            self.write(name, data)

    def write(self, name: str, data: str | bytes, mode: int = 0o644) -> None:
        """A file of the host as somebody left it."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        path.chmod(mode)

    def run(self, argv: tuple[str, ...]) -> str:
        """Run a program, if it does not fail here."""
        self.programs.append(argv)
        if argv[0] in self.failing:
            raise HostError(f"{argv[0]} failed: it was told to")
        if argv == ("update-grub",):
            self.write(MENU, self.menu())
        return ""

    def menu(self) -> bytes:
        """What update-grub would write now."""
        paths = [self.root / "etc/default/grub", *sorted(self.root.glob("etc/default/grub.d/*"))]
        return b"".join(path.read_bytes() for path in paths if path.is_file())

    def snapshot(self, below: str = "etc") -> dict[str, object]:
        """Everything below a directory: kind, permission bits, owner, contents."""
        top = self.root / below
        return {str(path.relative_to(top)): _described(path) for path in sorted(top.rglob("*"))}


def _described(path: Path) -> tuple[object, ...]:
    found = path.lstat()
    content: object = None
    if stat.S_ISLNK(found.st_mode):
        content = os.readlink(path)
    elif stat.S_ISREG(found.st_mode):
        content = path.read_bytes()
    return (oct(found.st_mode), found.st_uid, found.st_gid, content)


class Killer:
    """Ends the process before its ``at``-th change of a file system, as SIGKILL would."""

    def __init__(self) -> None:
        self._left: int | None = None
        sys.addaudithook(self._heard)

    def survives(self, work: Callable[[], object], *, at: int) -> bool:
        """Do ``work`` in a process of its own; False if that was killed at change ``at``."""
        child = os.fork()
        if child == 0:
            self._left = at
            try:
                work()
            except BaseException:
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        assert code in (0, KILLED), f"the work failed by itself ({code})"
        return code == 0

    def _heard(self, event: str, details: tuple[Any, ...]) -> None:
        if self._left is None or not _changes_something(event, details):
            return
        self._left -= 1
        if self._left < 0:
            os._exit(KILLED)


def _changes_something(event: str, details: tuple[Any, ...]) -> bool:
    if event == "open":
        return isinstance(details[2], int) and bool(details[2] & (os.O_WRONLY | os.O_RDWR))
    return event in _CHANGES
