"""GNOME and Plasma, on Wayland and X11: asked to log out, and what was open is open again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from PIL import Image as Picture

from . import checks
from .conftest import SCREENS
from .emulator import layer, pixels
from .emulator.hardware import Hardware
from .emulator.machine import Lab
from .emulator.rest import Rest
from .guest import Guest
from .keyboard import press, type_text
from .scene import configure, define, have_gio, start, stop, told, wait_for_host

pytestmark = pytest.mark.long
SUITE = "trixie"
# Without a GPU the desktop is drawn by an emulated processor: few pixels, and a long breath.
SMALL = Hardware(resolution=(800, 600))
PATIENCE = 1200.0
LIMITS = "limits: {goodbye: 120, desktop: 120}"
SAME = 0.97
WORDS = "not saved"
WAITING = "/home/alice/.local/state/vfiod/reopen.json"


@dataclass(frozen=True)
class Desktop:
    """A ``session`` of LightDM's; ``shell`` draws it, ``launch`` begins an application, the
    first of which is its editor, if it can show one. ``searched`` is one to be found and begun by
    the shell's search. ``drafts`` is where the editor keeps what is not saved, if it does.
    ``leaves`` is the key that leaves what the desktop shows first, ``begins`` are those for a new
    document.
    """

    image: str
    session: str
    shell: str
    launch: tuple[str, ...] = ()
    applications: dict[str, str] = field(default_factory=dict)
    searched: dict[str, str] = field(default_factory=dict)
    drafts: str = ""
    leaves: str = ""
    begins: tuple[str, ...] = ()

    @property
    def editor(self) -> str:
        """Its program."""
        return next(iter(self.applications), "")

    @property
    def programs(self) -> tuple[str, ...]:
        """Of all its applications."""
        return (*self.applications, *self.searched)


DESKTOPS = (
    Desktop(
        "gnome",
        "gnome",
        "gnome-shell",
        ("gapplication", "launch"),
        {"gnome-text-editor": "org.gnome.TextEditor", "kgx": "org.gnome.Console"},
        {"gnome-calculator": "calculator"},
        "/home/alice/.local/share/org.gnome.TextEditor",
        "esc",
    ),
    # On Wayland KWin crashes at the first window of a program when it draws without OpenGL, and
    # is too slow with it.
    Desktop("plasma", "plasma", "plasmashell"),
    Desktop(
        "plasma",
        "plasmax11",
        "plasmashell",
        ("kstart", "--application"),
        {"kwrite": "org.kde.kwrite", "konsole": "org.kde.konsole", "kcalc": "org.kde.kcalc"},
        begins=("ctrl", "n"),
    ),
)


@pytest.fixture(scope="module", params=DESKTOPS, ids=lambda desktop: desktop.session)
def desktop(request: pytest.FixtureRequest) -> Desktop:
    """One after the other."""
    found: Desktop = request.param
    return found


@pytest.fixture(scope="module")
def booted(desktop: Desktop, deb: Path | None) -> Iterator[Lab]:
    """Debian 13 at LightDM's greeter, with this desktop behind it."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    with Lab(layer.prepared(SUITE, deb, desktop.image), SMALL) as found:
        found.boot(PATIENCE)
        if desktop.session != desktop.image:  # which has its own chosen
            chosen = f"[Seat:*]\nuser-session={desktop.session}\n"
            found.put(chosen, "/etc/lightdm/lightdm.conf.d/session.conf")
            found.run("systemctl", "restart", "lightdm")
        have_gio(found)
        yield found


@pytest.fixture
def lab(booted: Lab, desktop: Desktop) -> Lab:
    """alice has logged in, and a guest is configured."""
    configure(booted)
    # What takes a second elsewhere takes a minute here.
    booted.sh(f"printf 'reopen: always\\n{LIMITS}\\n' >> /etc/vfiod/vfiod.yaml")
    define(booted, Guest(does="stay"))
    log_in(booted, desktop)
    return booted


def as_alice(lab: Lab, *argv: str) -> str:
    return lab.run("systemctl", "--user", "-M", "alice@", *argv, check=False).stdout.strip()


def runs(lab: Lab, program: str) -> list[str]:
    """Ids of alice's processes that were begun as this."""
    return lab.run(
        "pgrep", "-u", "alice", "-f", f"^(/usr/bin/)?{program}", check=False
    ).stdout.split()


def drawn(lab: Lab, name: str) -> Picture.Image:
    """The screen once nothing moves on it any more, kept to be looked at."""
    found = lab.wait_until("a picture at rest", Rest(lab.screenshot, drawn=True), PATIENCE)
    assert found is not None
    found.save(SCREENS / f"{name}.png")
    return found


def log_in(lab: Lab, desktop: Desktop) -> None:
    """alice, if she is not in already; until a picture of her desktop is there."""
    if not runs(lab, desktop.shell):
        lab.wait_until("the greeter", lab.greeter_shown, PATIENCE)
        asked = lab.screenshot()
        type_text(lab, "alice\n")
        drawn(lab, f"{desktop.session}-password")
        type_text(lab, "alice\n")
        lab.wait_until("the desktop's process", lambda: runs(lab, desktop.shell), PATIENCE)
        unit = ("is-active", "graphical-session.target")
        lab.wait_until("the desktop", lambda: as_alice(lab, *unit) == "active", PATIENCE)
        lab.wait_until("its picture", lambda: is_another(lab, asked), PATIENCE)
        drawn(lab, f"{desktop.session}-first")
        if desktop.leaves:
            press(lab, desktop.leaves)


def is_another(lab: Lab, before: Picture.Image) -> bool:
    """Whether a desktop is on the screen now, and not what was."""
    now = lab.screenshot()
    return pixels.classify(now) is pixels.Screen.OTHER and pixels.likeness(before, now) < SAME


def open_one(lab: Lab, desktop: Desktop, program: str) -> Picture.Image:
    """As the shell does at a click, by the bus; or by the shell's search."""
    before = lab.screenshot()
    if program in desktop.searched:
        search(lab, desktop, desktop.searched[program])
    else:
        argv = (*desktop.launch, desktop.applications[program])
        lab.run("systemd-run", "--user", "-M", "alice@", *argv)
    return opened(lab, desktop, program, before)


def search(lab: Lab, desktop: Desktop, words: str) -> None:
    """Have the shell find something, and take the first that it shows."""
    shown = lab.screenshot()
    for number, keys in enumerate((("meta_l",), words)):
        for key in keys:
            press(lab, key)
        lab.wait_until("its answer", partial(is_another, lab, shown), PATIENCE)
        shown = drawn(lab, f"{desktop.session}-search-{number}")
    press(lab, "ret")


def opened(lab: Lab, desktop: Desktop, program: str, before: Picture.Image) -> Picture.Image:
    """Wait for its window, which one that has run for a minute has; the screen then."""
    lab.wait_until(program, lambda: runs(lab, program), PATIENCE)
    lab.wait_until("its age", lambda: age(lab, runs(lab, program)[0]) > 60, PATIENCE)
    lab.wait_until("its window", lambda: is_another(lab, before), PATIENCE)
    return drawn(lab, f"{desktop.session}-{program}")


def write_words(lab: Lab, desktop: Desktop) -> None:
    """Something that is not saved."""
    if desktop.begins:
        press(lab, *desktop.begins)
        drawn(lab, f"{desktop.session}-document")
    type_text(lab, WORDS)
    drawn(lab, f"{desktop.session}-words")


def refused(lab: Lab, desktop: Desktop) -> None:
    """The editor objects or asks, and nobody answers: no guest. It is closed without its words."""
    status, words = start(lab)
    asked = drawn(lab, f"{desktop.session}-asks")
    assert (status, "alice has not logged out within" in words) == (1, True), words
    assert runs(lab, desktop.editor)
    assert runs(lab, desktop.shell)
    # Asked to end it would only ask again.
    lab.run("pkill", "-KILL", "-u", "alice", "-f", f"^(/usr/bin/)?{desktop.editor}")
    lab.wait_until("the editor's end", lambda: not runs(lab, desktop.editor), PATIENCE)
    lab.wait_until("its window's end", lambda: is_another(lab, asked), PATIENCE)
    if desktop.drafts:
        lab.run("rm", "-r", desktop.drafts)


def age(lab: Lab, pid: str) -> int:
    """How long a process has run, in seconds."""
    return int(lab.output("ps", "-o", "etimes=", "-p", pid))


def round_trip(lab: Lab, desktop: Desktop) -> None:
    """The desktop is asked, ends; the guest has the screen; alice logs in anew."""
    assert start(lab) == (0, "")
    assert "ask the desktop of alice to log out, within 120 s (" in told(lab)
    lab.wait_until("the guest's colour", lab.guest_shown, PATIENCE)
    assert runs(lab, desktop.shell) == []
    stop(lab)
    wait_for_host(lab)
    log_in(lab, desktop)


def test_it_is_asked_and_what_was_open_is_open_again(lab: Lab, desktop: Desktop) -> None:
    lab.sh("echo 'sessions: refuse-unsaved' >> /etc/vfiod/vfiod.yaml")
    bare = drawn(lab, f"{desktop.session}-desktop")
    if desktop.editor:
        open_one(lab, desktop, desktop.editor)
        write_words(lab, desktop)
        refused(lab, desktop)
    for program in desktop.programs:
        open_one(lab, desktop, program)
    round_trip(lab, desktop)
    for program in desktop.programs:
        opened(lab, desktop, program, bare)
    shown = drawn(lab, f"{desktop.session}-again")
    if desktop.searched:  # by a shell that shows all windows side by side
        press(lab, "meta_l")
        lab.wait_until("all windows", lambda: is_another(lab, shown), PATIENCE)
        drawn(lab, f"{desktop.session}-windows")
    assert {program: len(runs(lab, program)) for program in desktop.programs} == dict.fromkeys(
        desktop.programs, 1
    )
    assert lab.run("test", "-e", WAITING, check=False).returncode == 1
    assert checks.device_faults(lab) == []
