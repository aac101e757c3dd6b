"""Windows that are closed before a session manager is asked: it would not ask each program.

On X11 by wmctrl(1). Xfce and LXQt run on Wayland with any compositor: XSMP is X11's alone, so their
logout asks nobody there, and the compositor closes the windows (xfce4-session 4.20).
"""

import math
from collections.abc import Callable, Sequence

from vfiod.errors import HostError
from vfiod.tools.goodbye import compositors
from vfiod.tools.goodbye.desktop import Desktop
from vfiod.tools.goodbye.manager import Manager
from vfiod.tools.goodbye.surroundings import Surroundings
from vfiod.tools.goodbye.windows import Compositor, Window, Windows
from vfiod.tools.goodbye.x11 import X11
from vfiod.util import programs


class Managed:
    """A compositor that its session manager ends. Implements windows.Compositor."""

    def __init__(self, compositor: Compositor, log_out: Callable[[], None]) -> None:
        self._compositor, self._log_out = compositor, log_out

    def windows(self) -> Sequence[Window]:
        return self._compositor.windows()

    def close(self, window: Window) -> None:
        self._compositor.close(window)

    def end(self) -> None:
        self._log_out()


class WindowsFirst:
    """A session manager that is asked once no window is left. Implements desktop.Desktop.

    ``needed``: it is not asked where the windows cannot be closed, as it would ask no program.
    """

    patience = math.inf

    def __init__(self, manager: Desktop, screen: Compositor, *, needed: bool = False) -> None:
        self._manager, self._needed = manager, needed
        self._windows = Windows(screen, is_gone=lambda: False)
        self._are_told = True

    def begin(self) -> None:
        try:
            self._windows.begin()
        except HostError:
            if self._needed:
                raise
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

    def withdraw(self) -> None:
        self._manager.withdraw()


def windows_first(
    manager: Desktop, around: Surroundings, *, needed: bool = False, closes: bool = True
) -> Desktop:
    """The same, with its windows closed first where that can be done.

    ``closes``: whether on Wayland the session manager closes them itself, as far as anybody does.
    """
    screen = _screen(manager, around, closes=closes)
    return WindowsFirst(manager, screen, needed=needed) if screen else manager


def _screen(manager: Desktop, around: Surroundings, *, closes: bool) -> Compositor | None:
    if around.x11:
        return X11(around.x11, manager.begin) if programs.find("wmctrl") else None
    compositor = None if closes else compositors.of(around)
    return Managed(compositor, manager.begin) if compositor else None


def of(manager: Manager, around: Surroundings, *, must_ask: bool) -> Desktop | None:
    """Who is asked on a desktop that has a session manager; None if that would ask nobody."""
    closes = not manager.has_any_compositor
    needed = must_ask and not manager.objects_first()
    desktop = windows_first(manager, around, needed=needed, closes=closes)
    asks = manager.asks and (closes or bool(around.x11))
    return None if must_ask and desktop is manager and not asks else desktop
