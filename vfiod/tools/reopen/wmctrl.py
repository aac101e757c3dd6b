"""Windows on X11 as wmctrl(1) lists them, by the window manager's hints (EWMH). Pure."""

import re
from collections.abc import Iterator, Sequence

from vfiod.tools.reopen.opened import Window

# Window, desktop (-1 is all of them), process, instance and class, and then host and title.
_LINE = re.compile(r"(0x[0-9a-f]+)\s+(-?\d+)\s+(\d+)\s+(\S+)\s")
_DESKTOP = re.compile(r"\d{1,3}", re.ASCII)

LIST = ("-l", "-p", "-x")


def windows(text: str) -> Iterator[tuple[int, Window]]:
    """Each window and its number; lines that are none are left out."""
    for line in text.splitlines():
        if found := _LINE.match(line):
            number, desktop, pid, classes = found.groups()
            workspace = desktop if _DESKTOP.fullmatch(desktop) else ""
            yield int(number, 16), Window(_class(classes), int(pid), workspace)


def _class(text: str) -> str:
    """The class of ``instance.class``, either of which may have points of its own."""
    parts = text.split(".")
    half = len(parts) // 2
    instance, rest = ".".join(parts[:half]), ".".join(parts[half:])
    return rest if instance.lower() == rest.lower() else parts[-1]


def moving(number: int, workspace: str) -> Sequence[str]:
    """Its arguments that move a window; none if the workspace is not one of X11's."""
    if not _DESKTOP.fullmatch(workspace):
        return ()
    return ("-i", "-r", f"{number:#010x}", "-t", workspace)
