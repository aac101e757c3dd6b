"""Signals and file descriptors on GLib's main loop, wherever GLib has them.

They are in a namespace of their own, GLibUnix, and with GLib 2.88 no longer in GLib's; PyGObject
shows them under their old names again since 3.55.3 (https://github.com/mopidy/mopidy/pull/2248).
What is missing is missed when this is imported, not after the daemon has said that it is ready.
"""

import importlib
from collections.abc import Callable
from typing import Any

import gi
from gi.repository import GLib


def _own_namespace() -> Any:
    try:
        gi.require_version("GLibUnix", "2.0")
        return importlib.import_module("gi.repository.GLibUnix")
    except (ValueError, ImportError):
        return None


def first_of(*places: tuple[Any, str]) -> Callable[..., Any]:
    """The first function that is there, of those with the same parameters."""
    for namespace, name in places:
        function = getattr(namespace, name, None)
        if function is not None:
            return function  # type: ignore[no-any-return]
    raise ImportError(f"neither GLibUnix nor GLib has {places[-1][1]}: update PyGObject")


def signal_function(own: Any, general: Any) -> Callable[..., Any]:
    """What waits for a signal; by its C name where the shorter one is not known."""
    return first_of((own, "signal_add"), (own, "signal_add_full"), (general, "unix_signal_add"))


def fd_function(own: Any, general: Any) -> Callable[..., Any]:
    """What waits for a file descriptor."""
    return first_of((own, "fd_add_full"), (general, "unix_fd_add_full"))


_OWN = _own_namespace()
_ADD_SIGNAL = signal_function(_OWN, GLib)
_ADD_FD = fd_function(_OWN, GLib)


def on_signal(number: int, then: Callable[[], bool]) -> int:
    """Have ``then`` called at this signal, before all else that waits; it says if once more."""
    return int(_ADD_SIGNAL(GLib.PRIORITY_HIGH, number, lambda *_: then()))


def on_fd(fd: int, condition: Any, then: Callable[[int, Any], bool]) -> int:
    """Have ``then`` called with descriptor and condition; it says if once more."""

    def ready(fd: int, condition: Any, *_: Any) -> bool:
        return then(fd, condition)

    return int(_ADD_FD(GLib.PRIORITY_DEFAULT, fd, condition, ready))
