"""On X11 the windows are closed before the session manager is asked to log out, by wmctrl(1).

Session managers ask only programs that take part in a session's end, by XSMP or by D-Bus; what
uses GTK 3 or 4 does only if its authors have thought of it. Seen with Xfce 4.20: its logout ended
an editor with unsaved words without a question. Plasma has KWin close windows only on Wayland
(KWin: closeWaylandWindows()). A window that is closed as by its own button does ask.
"""

from collections.abc import Callable, Mapping, Sequence

from vfiod.errors import HostError
from vfiod.tools.goodbye.desktop import Desktop
from vfiod.tools.goodbye.surroundings import Surroundings
from vfiod.tools.goodbye.windows import Window, Windows
from vfiod.util import programs

_SECONDS = 5.0
# Panels and the desktop's own window are on all workspaces, by EWMH's _NET_WM_DESKTOP.
_ALL = "-1"
_COLUMNS = 5  # window, workspace, class, host, title


class X11:
    """The windows that the window manager lists. Implements windows.Compositor."""

    def __init__(self, environment: Mapping[str, str], log_out: Callable[[], None]) -> None:
        self._environment, self._log_out = environment, log_out

    def windows(self) -> Sequence[Window]:
        rows = [line.split(None, _COLUMNS - 1) for line in self._run("-l", "-x").splitlines()]
        return [
            Window(row[0], row[2].rpartition(".")[2])
            for row in rows
            if len(row) >= _COLUMNS - 1 and row[1] != _ALL
        ]

    def close(self, window: Window) -> None:
        self._run("-i", "-c", window.handle)

    def end(self) -> None:
        self._log_out()

    def _run(self, *words: str) -> str:
        done = programs.finish(["wmctrl", *words], seconds=_SECONDS, environment=self._environment)
        if done.returncode:
            raise HostError(f"wmctrl: {done.stderr.strip() or f'status {done.returncode}'}")
        return done.stdout


class WindowsFirst:
    """A session manager that is asked once no window is left. Implements desktop.Desktop."""

    def __init__(self, manager: Desktop, environment: Mapping[str, str]) -> None:
        self._manager = manager
        self._windows = Windows(X11(environment, manager.begin), is_gone=lambda: False)
        self._are_told = True

    def begin(self) -> None:
        try:
            self._windows.begin()
        except HostError:
            self._are_told = False  # or it would be asked a second time once they are
            self._manager.begin()

    def look(self) -> bool:
        return (self._are_told and self._windows.look()) or self._manager.look()

    def was_cancelled(self) -> bool:
        return self._manager.was_cancelled()

    def has_failed(self) -> bool:
        return self._manager.has_failed()

    def waits_for(self) -> Sequence[str]:
        return self._windows.waits_for() or self._manager.waits_for()


def windows_first(manager: Desktop, around: Surroundings) -> Desktop:
    """The same, with its windows closed first where that can be done."""
    if not around.x11 or programs.find("wmctrl") is None:
        return manager
    return WindowsFirst(manager, around.x11)
