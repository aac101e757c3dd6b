"""What this desktop tells of its windows: sway and i3 by their socket, others on X11 by wmctrl."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from vfiod.errors import HostError
from vfiod.tools.reopen import tree, wmctrl
from vfiod.tools.reopen.opened import Window
from vfiod.util.programs import find, finish

_SECONDS = 2.0


def _nothing(_: str) -> Iterator[tuple[int, Window]]:
    return iter(())


def _nowhere(_number: int, _workspace: str) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Compositor:
    """Where windows are, and putting one there. Without one that tells, there are none.

    ``command`` begins each call, ``listing`` ends it where it is a question; ``read`` understands
    the answer, and ``moving`` says what moves a window.
    """

    command: Sequence[str] = ()
    listing: Sequence[str] = ()
    read: Callable[[str], Iterator[tuple[int, Window]]] = _nothing
    moving: Callable[[int, str], Sequence[str]] = _nowhere
    environment: Mapping[str, str] = field(default_factory=dict)

    def windows(self) -> list[tuple[int, Window]]:
        """Each window with its number; none if nobody tells."""
        with suppress(HostError, ValueError):
            if self.command:
                return list(self.read(self._ask(self.listing)))
        return []

    def move(self, number: int, workspace: str) -> None:
        """Put a window where it was, if that can be said."""
        words = self.moving(number, workspace)
        if self.command and words:
            with suppress(HostError):
                self._ask(words)

    def _ask(self, words: Sequence[str]) -> str:
        argv = [*self.command, *words]
        return finish(argv, seconds=_SECONDS, environment=self.environment).stdout


def find_compositor(environment: Mapping[str, str]) -> Compositor:
    """The one whose socket the environment names, or which is in the user's runtime folder."""
    runtime = Path(environment.get("XDG_RUNTIME_DIR") or "/nonexistent")
    for variable, name, pattern in (
        ("SWAYSOCK", "swaymsg", "sway-ipc.*.sock"),
        ("I3SOCK", "i3-msg", "i3/ipc-socket.*"),
    ):
        sockets = [environment.get(variable, ""), *_newest(runtime, pattern)]
        socket = next((path for path in sockets if path and os.path.exists(path)), "")
        if socket and (program := find(name)):
            return Compositor((program, "-s", socket), ("-t", "get_tree"), tree.windows, _command)
    if environment.get("DISPLAY") and (program := find("wmctrl")):
        wanted = {name: environment.get(name, "") for name in ("DISPLAY", "XAUTHORITY", "HOME")}
        given = {name: value for name, value in wanted.items() if value}
        return Compositor((program,), wmctrl.LIST, wmctrl.windows, wmctrl.moving, given)
    return Compositor()


def _command(number: int, workspace: str) -> Sequence[str]:
    command = tree.moving(number, workspace)
    return ("--", command) if command else ()


def _newest(folder: Path, pattern: str) -> Sequence[str]:
    with suppress(OSError):
        found = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
        return [str(path) for path in reversed(found)]
    return []
