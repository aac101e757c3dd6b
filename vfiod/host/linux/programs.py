"""What people have running, by names that they know: from their processes and desktop entries."""

import re
import time
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil

from vfiod.host.linux.controlgroup import path_of
from vfiod.host.linux.looks import Looks
from vfiod.model import ENTRY, STARTER, Program, only_serves
from vfiod.paths import APPLICATIONS
from vfiod.util import sysfs

# A desktop puts each application into a unit of its own (systemd.io, DESKTOP_ENVIRONMENTS).
_APP = re.compile(
    r"app-(?:flatpak-|gnome-|KDE-)?(?P<id>.+?)(?:@(?P<instance>[^.]*)\.service|\.service|-\w+\.scope)"
)
_ENTRIES = (
    "usr/share/applications", str(APPLICATIONS.relative_to("/")),
    "var/lib/flatpak/exports/share/applications", "var/lib/snapd/desktop/applications",
)  # fmt: skip
_NAME = re.compile(r"^Name=(.+)$", re.MULTILINE)
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")
# What a desktop is made of: nobody's work is in it.
_PLUMBING = re.compile(
    r"""\(sd-pam\)|systemd.*|dbus-.*|pipewire.*|wireplumber|pulseaudio|Xorg|X|Xwayland|xinit|startx
    |gnome-(shell|session|keyring).*|gdm.*|gsd-.*|gvfs.*|goa-.*|gjs|mutter.*|evolution-.*|ibus.*
    |tracker-.*|localsearch.*|xdg-.*|at-spi.*|dconf-service|k(win|activ|global|ded|wallet|access).*
    |plasma.*|ksm.*|polkit.*|org_kde_.*|baloo.*|sddm.*|lightdm.*|startplasma.*|sway.*|Hyprland
    |labwc|wayfire|weston|i3.*|xfce4-(session|panel|notifyd|power-.*|screensaver.*|appfinder|volumed.*)
    |xfwm4|xfconfd|xfsettingsd|xfdesktop|wrapper-2\.0|cinnamon.*|marco|uwsm
    |mate-(session|panel|settings-.*|notification-.*|power-.*|screensaver.*|polkit|.*-applet)
    |fusermount3?|ssh-agent|gpg-agent|greetd|vfiod|login|sshd.*|(|-)(ba|z|da|fi|k|)sh|sudo|su
    |agetty
    |cosmic-(comp|session|panel.*|applet.*|app-list|app-?library|bg|greeter.*|idle|launcher)
    |cosmic-(notifications|osd|settings-daemon|workspaces|files-applet)|pop-launcher
    |niri(-session)?|start-hyprland|hypr(paper|idle|lock|sunset|polkitagent)|xwayland-satellite
    |waybar|mako|fuzzel|swaync|quickshell|ksecretd|krunner|kio(slave5|worker)|kscreen_.*
    |xembedsniproxy|gmenudbusmenuproxy|gcr-(ssh-agent|prompter4?)|gnome-remote-de(sktop-daemon)?
    |gnome-calendar-daemon|tinysparql.*|speech-dispatcher|sd_(espeak.*|dummy|generic)|obexd
    |mpris-proxy|keyboxd|scdaemon|dirmngr""",
    re.VERBOSE,
)


def programs_of(
    units: Collection[str], root: Path = Path("/"), looks: Looks | None = None
) -> Sequence[Program]:
    """The programs in these sessions and users' managers, by unit and name, each once."""
    if not units:
        return []
    found = (looks or Looks()).at(psutil.pids(), lambda silent: partial(_of, units, root, silent))
    each: dict[tuple[str, str], Program] = {}
    for _, program in found:
        key = (program.unit, program.name)
        if key not in each or program.is_application:
            each[key] = program
    return [each[key] for key in sorted(each)]


def _of(
    units: Collection[str], root: Path, silent: AbstractSet[int], pid: int
) -> Iterator[Program]:
    """The program that a process is part of, if a person would know it.

    ``silent``: those that are not asked how they were called, as there is no answer.
    """
    text = sysfs.read(root / f"proc/{pid}/cgroup") or ""
    # Nearly all processes of a host are somewhere else.
    if not any(unit in text for unit in units):
        return
    parts = path_of(text).split("/")
    # A container's users are below its own group.
    unit = next((part for part in parts if part in units), "")
    if unit and parts[1] == "user.slice":
        with suppress(psutil.Error):
            if name := _name(parts[-1], psutil.Process(pid), root, is_silent=pid in silent):
                is_application = _APP.fullmatch(parts[-1]) is not None
                yield Program(sysfs.printable(name), unit, is_application)


def _name(unit: str, process: psutil.Process, root: Path, *, is_silent: bool) -> str:
    app = _APP.fullmatch(unit)
    if app is not None:
        return "" if app["instance"] == "autostart" else _entry(_unescape(app["id"]), root)
    if is_silent:
        name, arguments = sysfs.read(root / f"proc/{process.pid}/comm") or "", []
    else:
        name, arguments = process.name(), process.cmdline()[1:]
    if name == ENTRY and "session" in arguments[:2]:
        return STARTER
    if _PLUMBING.fullmatch(name) or only_serves(arguments, time.time() - process.create_time()):
        return ""
    return name


def _entry(ident: str, root: Path) -> str:
    """An application's name as menus show it; else the last part of its id."""
    for folder in _ENTRIES if "/" not in ident else ():
        text = sysfs.read(root / folder / f"{ident}.desktop")
        if text is not None:
            found = _NAME.search(text)
            return "" if "\nNoDisplay=true" in text else found[1] if found else ident
    return ident.rpartition(".")[2]


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
