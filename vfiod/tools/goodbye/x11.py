"""On X11 the windows are closed before the session manager is asked to log out, by wmctrl(1).

Session managers ask only programs that take part in a session's end, by XSMP or by D-Bus; what
uses GTK 3 or 4 does only if its authors have thought of it. Seen with Xfce 4.20: its logout ended
an editor with unsaved words without a question. Plasma has KWin close windows only on Wayland
(KWin: closeWaylandWindows()). A window that is closed as by its own button does ask.
"""

from collections.abc import Callable, Mapping, Sequence

from vfiod.errors import HostError
from vfiod.tools.goodbye.windows import Window
from vfiod.util import programs

_SECONDS = 5.0
# Panels and the desktop's own window are on all workspaces, by EWMH's _NET_WM_DESKTOP. So is what
# a person has pinned, and on GNOME each window on another monitor than the first.
_ALL = "-1"
_TYPE = "_NET_WM_WINDOW_TYPE"
# What programs work in, by EWMH; a window that does not say is one. The first that is known counts:
# toolkits add NORMAL to each for window managers that do not know the others.
_WORK = frozenset({f"{_TYPE}_NORMAL", f"{_TYPE}_DIALOG"})
_COLUMNS = 5  # window, workspace, class, host, title


class X11:
    """The windows that the window manager lists. Implements windows.Compositor."""

    def __init__(self, environment: Mapping[str, str], log_out: Callable[[], None]) -> None:
        self._environment, self._log_out = environment, log_out
        self._can_ask = programs.find("xprop") is not None
        self._works: dict[str, bool] = {}

    def windows(self) -> Sequence[Window]:
        listed = self._run("wmctrl", "-l", "-x").splitlines()
        rows = [line.split(None, _COLUMNS - 1) for line in listed]
        return [
            Window(row[0], row[2].rpartition(".")[2])
            for row in rows
            if len(row) >= _COLUMNS - 1 and (row[1] != _ALL or self._is_work(row[0]))
        ]

    def close(self, window: Window) -> None:
        self._run("wmctrl", "-i", "-c", window.handle)

    def end(self) -> None:
        self._log_out()

    def _is_work(self, handle: str) -> bool:
        """Whether it is no part of the desktop, as xprop(1) tells; it is asked once of each."""
        if handle not in self._works:
            self._works[handle] = self._can_ask and self._tells_work(handle)
        return self._works[handle]

    def _tells_work(self, handle: str) -> bool:
        try:
            told = self._run("xprop", "-id", handle, _TYPE).partition("=")[2]
        except HostError:  # it has just been closed
            return False
        types = [word for word in told.replace(",", " ").split() if word.startswith(_TYPE)]
        return not types or types[0] in _WORK

    def _run(self, program: str, *words: str) -> str:
        done = programs.finish([program, *words], seconds=_SECONDS, environment=self._environment)
        if done.returncode:
            raise HostError(f"{program}: {done.stderr.strip() or f'status {done.returncode}'}")
        return done.stdout
