"""What the user who runs this has open now: the user's environment, then all that it names."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from vfiod.bus.connection import Bus
from vfiod.errors import HostError
from vfiod.tools.reopen.compositor import find_compositor
from vfiod.tools.reopen.entries import read_autostart, read_entries
from vfiod.tools.reopen.opened import Seen
from vfiod.tools.reopen.running import read_others, read_processes

_SYSTEMD = "org.freedesktop.systemd1"
_SECONDS = 2.0


def see(environment: Mapping[str, str], root: Path = Path("/")) -> Seen:
    """All that tells what is open. What cannot be read tells nothing."""
    return Seen(
        entries=read_entries(environment),
        processes=read_processes(os.getuid(), root),
        windows=[window for _, window in find_compositor(environment).windows()],
        at_login=read_autostart(environment),
        others=read_others(os.getuid(), root),
    )


def has_display(environment: Mapping[str, str]) -> bool:
    """Whether what is begun with it finds a desktop to open its windows on."""
    return any(environment.get(name) for name in ("WAYLAND_DISPLAY", "DISPLAY"))


def environment_of_desktop(own: Mapping[str, str]) -> Mapping[str, str]:
    """The environment of this process, with a display where it has none itself, as over ssh."""
    return own if has_display(own) else environment_of_manager(own)


def environment_of_manager(own: Mapping[str, str]) -> Mapping[str, str]:
    """What the desktop has told the user's manager of itself, over what this process has.

    A process that the service had begun has only what systemd gives any.
    """
    found: dict[str, str] = {}
    with suppress(HostError):
        wanted = (f"{_SYSTEMD}.Manager", "Environment")
        get = "org.freedesktop.DBus.Properties.Get"
        path = "/org/freedesktop/systemd1"
        bus = Bus(of_session=True)
        lines = bus.call(_SYSTEMD, path, get, "ss", *wanted, seconds=_SECONDS)[0]
        found = {name: value for name, _, value in (line.partition("=") for line in lines)}
    return {**own, **found}
