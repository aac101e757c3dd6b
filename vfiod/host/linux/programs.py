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
from vfiod.util import sysfs, unitnames

_ENTRIES = (
    "usr/share/applications", str(APPLICATIONS.relative_to("/")),
    "var/lib/flatpak/exports/share/applications", "var/lib/snapd/desktop/applications",
)  # fmt: skip
_NAME = re.compile(r"^Name=(.+)$", re.MULTILINE)
# What an entry has beside itself, as actions with names and flags of their own.
_OTHER_GROUP = re.compile(r"^\[(?!Desktop Entry\])", re.MULTILINE)
# An id that is one beyond doubt: a domain turned round.
_CERTAIN = re.compile(r"[A-Za-z]\w*(?:\.[\w-]+){2,}")
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
    |mpris-proxy|keyboxd|scdaemon|dirmngr|openbox-(session|autosta(rt)?)""",
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
                yield Program(sysfs.printable(name), unit, _is_application(parts[-1]))


def _is_application(unit: str) -> bool:
    return any(unitnames.candidates(unit)) and not unitnames.is_begun_by_bus(unit)


def _name(unit: str, process: psutil.Process, root: Path, *, is_silent: bool) -> str:
    if unitnames.starts_by_itself(unit):
        return ""
    shown = _by_unit(unit, root)
    # What the bus has begun may only answer a search.
    if shown is not None and not unitnames.is_begun_by_bus(unit):
        return shown
    if is_silent:
        name, arguments = sysfs.read(root / f"proc/{process.pid}/comm") or "", []
    else:
        name, arguments = process.name(), process.cmdline()[1:]
    if name == ENTRY and "session" in arguments[:2]:
        return STARTER
    if only_serves(arguments, time.time() - process.create_time()):
        return ""
    is_plumbing = _PLUMBING.fullmatch(name) or unitnames.is_launcher(name)
    return shown if shown is not None else "" if is_plumbing else _called(unit, name)


def _called(unit: str, process: str) -> str:
    """An application whose entry is in somebody's home may be run by java, and have helpers."""
    idents = list(unitnames.candidates(unit))
    says_nothing = unitnames.is_begun_by_bus(unit) or any(map(unitnames.is_launcher, idents))
    if says_nothing or process in idents or not all(map(_is_plain, idents)):
        return process
    return idents[-1] if idents else process


def _is_plain(ident: str) -> bool:
    return ident.isprintable() and "/" not in ident


def _by_unit(unit: str, root: Path) -> str | None:
    """What menus call the application that the unit stands for, empty if they hide it; None for a
    unit that says nothing sure, as a launcher's, in which is what that has begun.
    """
    idents = [i for i in unitnames.candidates(unit) if not unitnames.is_launcher(i)]
    for ident in idents:
        if (name := _entry(ident, root)) is not None:
            return name
    # It may be in somebody's home, where this does not look.
    certain = [] if unitnames.is_begun_by_bus(unit) else filter(_CERTAIN.fullmatch, idents)
    return next((ident.rpartition(".")[2] for ident in certain), None)


def _entry(ident: str, root: Path) -> str | None:
    """An application's name as menus show it; empty if they hide it, None if it is none."""
    for folder in _ENTRIES if _is_plain(ident) else ():
        text = sysfs.read(root / folder / f"{ident}.desktop")
        if text is not None:
            own = _OTHER_GROUP.split(text, maxsplit=1)[0]
            found = _NAME.search(own)
            return "" if "\nNoDisplay=true" in own else found[1] if found else ident
    return None
