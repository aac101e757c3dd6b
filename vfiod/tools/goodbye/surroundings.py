"""What a desktop is, as its processes show it: where its bus is, which compositor runs.

Read as the person whose desktop it is, from processes of theirs (proc(5)).
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from vfiod.util import sysfs

# What the environment of a program in a session says of it.
_BUS, _HYPRLAND, _DISPLAY = (
    "DBUS_SESSION_BUS_ADDRESS", "HYPRLAND_INSTANCE_SIGNATURE", "WAYLAND_DISPLAY",
)  # fmt: skip
_X11 = ("DISPLAY", "XAUTHORITY")
# What says together which display it is: half of one program's and half of another's is none.
_SHOW = (_DISPLAY, *_X11)
_TYPE = "XDG_SESSION_TYPE"
_NAMED = (_BUS, _HYPRLAND, _TYPE, *_SHOW)
# Processes that are a whole desktop.
COMPOSITORS = frozenset({"sway", "i3", "Hyprland", "labwc", "wayfire", "river"})
# NixOS runs .NAME-wrapped, and the kernel keeps 15 letters of a name (proc(5), comm).
_SHOWN = {
    shown: name
    for name in COMPOSITORS
    for shown in (name, f".{name}-wrapped", f".{name}-wrapped"[:15])
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``runtime`` is the person's runtime directory (pam_systemd(8)); ``compositor`` the name of
    one of COMPOSITORS that runs as process ``pid``, or empty.
    """

    runtime: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    compositor: str = ""
    pid: int = 0

    @property
    def bus(self) -> str:
        """The address of the session's bus: its own, if it has one, else the user's."""
        return self.variables.get(_BUS) or f"unix:path={self.runtime / 'bus'}"

    @property
    def hyprland(self) -> str:
        """What hyprctl(1) calls the instance."""
        return self.variables.get(_HYPRLAND, "")

    @property
    def display(self) -> str:
        """The compositor's socket in ``runtime``, or its path."""
        return self.variables.get(_DISPLAY, "wayland-0")

    @property
    def x11(self) -> Mapping[str, str]:
        """How programs reach the X server; empty on Wayland, whose own X has but some windows.

        Without XAUTHORITY its key is in the home (Xsecurity(7)).
        """
        if _DISPLAY in self.variables or "DISPLAY" not in self.variables:
            return {}
        found = {name: self.variables[name] for name in _X11 if name in self.variables}
        return found if "XAUTHORITY" in found else {**found, "HOME": str(Path.home())}


def read(session: str, runtime: Path) -> Surroundings:
    """Those of a logind session. Programs in its scope tell first, then the user's others."""
    scope = f"/session-{session}.scope"
    mine = sorted(_mine(), key=lambda process: scope not in _group(process))
    variables = _variables([_environment(process) for process in mine])
    compositor = next((p for p in mine if _compositor(p)), None)
    if compositor is None:
        return Surroundings(runtime, variables)
    if instance := _instance(runtime, compositor.pid):
        variables = {**variables, _HYPRLAND: instance}
    return Surroundings(runtime, variables, _compositor(compositor), compositor.pid)


def _instance(runtime: Path, pid: int) -> str:
    """The Hyprland that runs as this process, by the first line of its lock; empty if none says so.

    Programs of an earlier login, which a user's manager keeps, have that one's name.
    """
    for name in sysfs.names(runtime / "hypr"):
        lock = sysfs.read(runtime / "hypr" / name / "hyprland.lock") or ""
        if lock.partition("\n")[0].strip() == str(pid):
            return name
    return ""


def _variables(told: Sequence[Mapping[str, str]]) -> Mapping[str, str]:
    """What the first says that says it; the display is that of one program."""
    found: dict[str, str] = {}
    for given in told:
        for name in given.keys() - _SHOW:
            found.setdefault(name, given[name])
    return {**found, **_display(told, found.get(_TYPE, ""))}


def _display(told: Iterable[Mapping[str, str]], kind: str) -> Mapping[str, str]:
    """Of the first that has one, of the session's kind where pam_systemd(8) has told that.

    A game within gamescope has a display of Wayland's on X11 too, and what goes on from an earlier
    login has that one's.
    """
    is_wayland = {"wayland": True, "x11": False}
    for given in told:
        has_wayland = _DISPLAY in given
        if (has_wayland or "DISPLAY" in given) and is_wayland.get(kind, has_wayland) == has_wayland:
            return {name: given[name] for name in _SHOW if name in given}
    return {}


def watch(pid: int) -> Callable[[], bool]:
    """Whether a process that is there now has ended, whoever has its number then."""
    try:
        process = psutil.Process(pid)
    except psutil.Error:
        return lambda: True

    def is_gone() -> bool:
        with suppress(psutil.Error):
            return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
        return True

    return is_gone


def _mine() -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and process.uids().real == os.getuid():
                yield process


def _environment(process: psutil.Process) -> Mapping[str, str]:
    with suppress(psutil.Error):
        given = process.environ()
        return {name: given[name] for name in _NAMED if given.get(name)}
    return {}


def _group(process: psutil.Process) -> str:
    return sysfs.read(Path(f"/proc/{process.pid}/cgroup")) or ""


def _compositor(process: psutil.Process) -> str:
    """Which of COMPOSITORS it is; empty if none."""
    with suppress(psutil.Error):
        return _SHOWN.get(process.name(), "")
    return ""
