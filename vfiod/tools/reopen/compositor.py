"""The compositor of this session, as far as it tells of windows: sway and i3."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from vfiod.errors import HostError
from vfiod.tools.reopen import tree
from vfiod.tools.reopen.opened import Window
from vfiod.util.programs import find, finish

_SECONDS = 2.0


class Compositor:
    """Where windows are. Without one that tells, there are none to tell of."""

    def __init__(self, program: str = "", socket: str = "") -> None:
        self._program, self._socket = program, socket

    def windows(self) -> list[tuple[int, Window]]:
        """Each window with its number; none if nobody tells."""
        with suppress(HostError, ValueError):
            if self._program:
                return list(tree.windows(self._ask("-t", "get_tree")))
        return []

    def move(self, number: int, workspace: str) -> None:
        """Put a window where it was, if that can be said."""
        command = tree.moving(number, workspace)
        if command and self._program:
            with suppress(HostError):
                self._ask("--", command)

    def _ask(self, *words: str) -> str:
        argv = [self._program, "-s", self._socket, *words]
        return finish(argv, seconds=_SECONDS).stdout


def find_compositor(environment: Mapping[str, str]) -> Compositor:
    """The one whose socket the environment names, or which is in the user's runtime folder."""
    runtime = Path(environment.get("XDG_RUNTIME_DIR") or "/nonexistent")
    for variable, name, pattern in (
        ("SWAYSOCK", "swaymsg", "sway-ipc.*.sock"),
        ("I3SOCK", "i3-msg", "i3/ipc-socket.*"),
    ):
        sockets = [environment.get(variable, ""), *_newest(runtime, pattern)]
        socket = next((path for path in sockets if path and os.path.exists(path)), "")
        program = find(name)
        if socket and program:
            return Compositor(program, socket)
    return Compositor()


def _newest(folder: Path, pattern: str) -> Sequence[str]:
    with suppress(OSError):
        found = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
        return [str(path) for path in reversed(found)]
    return []
