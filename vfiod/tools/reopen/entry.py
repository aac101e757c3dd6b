"""One desktop entry, as the Desktop Entry Specification has it. Pure."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from gi.repository import GLib

_GROUP = "Desktop Entry"
_OURS = "X-Vfiod-Guest"
_STARTER = re.compile(r"\b(?:virsh|vfiod)\b")
# What a script has in it that starts a guest: a command, or libvirt's library for Python, Ruby or
# Perl. A path that has libvirt in it is none, and virt-manager is no launcher.
_STARTING = re.compile(
    rf"{_STARTER.pattern}|^\s*(?:import|from|require)\b.*\blibvirt\b|\bSys::Virt\b", re.MULTILINE
)
_FIELD_CODE = 2  # signs: % and a letter
# Desktop Menu Specification, Additional Categories; the last is Xfce's mark of its own tools, one
# of which, the application finder, stays without a window once it was used.
_SETTINGS = frozenset({"Settings", "DesktopSettings", "X-XFCE"})


@dataclass(frozen=True, slots=True)
class Entry:
    """An application that can be opened, by the id that menus and systemd know it by.

    ``program`` is where Exec's program is, all links resolved, or empty; ``arguments`` those that
    Exec gives it without a file. ``is_shown``: menus have it. ``starts_guest``: it
    may start one, as vfiod's own do, or a script that it runs. ``is_settings``: a part of the
    desktop, and nobody's work. ``snap``: the snap and its program, with a _ between them.
    """

    ident: str
    name: str
    path: str
    program: str = ""
    arguments: tuple[str, ...] = ()
    is_shown: bool = True
    in_terminal: bool = False
    window_class: str = ""
    starts_guest: bool = False
    starts_at_login: bool = True
    is_settings: bool = False
    snap: str = ""


def parse(
    ident: str, path: str, text: str, desktops: Collection[str], resolve: Callable[[str], str]
) -> Entry | None:
    """Read an entry; None for one that is none, or is no application.

    Arguments: ``desktops`` are the names of XDG_CURRENT_DESKTOP, ``resolve`` says where a program
    is.
    """
    file = GLib.KeyFile()
    try:
        file.load_from_bytes(GLib.Bytes.new(text.encode()), GLib.KeyFileFlags.NONE)
        if _string(file, "Type") != "Application":
            return None
        words = _words(_string(file, "Exec"))
    except GLib.Error:
        return None
    told = [word for word in words[1:] if not _is_field(word)]
    return Entry(
        ident=ident,
        name=_name(file) or ident,
        path=path,
        program=resolve(words[0]) if words else "",
        arguments=tuple(told),
        is_shown=not _flag(file, "NoDisplay") and not _flag(file, "Hidden"),
        in_terminal=_flag(file, "Terminal"),
        window_class=_string(file, "StartupWMClass"),
        starts_guest=bool(_string(file, _OURS)) or any(map(_STARTER.search, words)),
        starts_at_login=_starts_at_login(file, desktops),
        is_settings=not _SETTINGS.isdisjoint(_list(file, "Categories")),
        snap=_snap(file),
    )


def may_start_guest(script: str) -> bool:
    """Whether a script may start one, by its text."""
    return _STARTING.search(script) is not None


def _starts_at_login(file: GLib.KeyFile, desktops: Collection[str]) -> bool:
    """Whether it would, lay it in an autostart folder (Desktop Application Autostart)."""
    only, never = _list(file, "OnlyShowIn"), _list(file, "NotShowIn")
    wanted = not only or any(desktop in only for desktop in desktops)
    barred = any(desktop in never for desktop in desktops)
    off = _string(file, "X-GNOME-Autostart-enabled") == "false"
    return wanted and not barred and not off and not _flag(file, "Hidden")


def _snap(file: GLib.KeyFile) -> str:
    """What snapd has written into it, whose file may have a name of the snap's choice."""
    names = _string(file, "X-SnapInstanceName"), _string(file, "X-SnapAppName")
    return "_".join(names) if all(names) else ""


def _words(line: str) -> list[str]:
    found: list[str] = GLib.shell_parse_argv(line)[1] if line else []
    return found


def _is_field(word: str) -> bool:
    return len(word) == _FIELD_CODE and word.startswith("%")


def _string(file: GLib.KeyFile, key: str) -> str:
    try:
        return str(file.get_string(_GROUP, key))
    except GLib.Error:
        return ""


def _name(file: GLib.KeyFile) -> str:
    try:
        return str(file.get_locale_string(_GROUP, "Name", None))
    except GLib.Error:
        return ""


def _flag(file: GLib.KeyFile, key: str) -> bool:
    return _string(file, key) in ("true", "1")


def _list(file: GLib.KeyFile, key: str) -> list[str]:
    return [word for word in _string(file, key).split(";") if word]
