"""Xfce with its session manager: the menu's entry, a polite end, and what comes back after it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import checks
from .conftest import SCREENS
from .emulator import layer
from .emulator.machine import Lab
from .emulator.rest import Rest
from .guest import Guest
from .keyboard import press, type_text
from .scene import configure, define, phase, start, stop, told, wait_for_host

pytestmark = pytest.mark.long
SUITE, IMAGE = "trixie", "xfce"
PATIENCE = 400.0
WAITING = "/home/alice/.local/state/vfiod/reopen.json"
# Id -> program.
APPLICATIONS = {
    "org.xfce.mousepad": "mousepad",
    "xfce4-terminal": "xfce4-terminal",
    "thunar": "thunar",
}
EDITOR = "org.xfce.mousepad"


@pytest.fixture(scope="module")
def booted(deb: Path | None) -> Iterator[Lab]:
    """Debian 13 at LightDM's greeter, with Xfce behind it."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    with Lab(layer.prepared(SUITE, deb, IMAGE)) as found:
        yield found.boot(PATIENCE)


@pytest.fixture
def lab(booted: Lab) -> Lab:
    """alice has logged in, and a guest is configured."""
    configure(booted)
    define(booted, Guest(does="stay"))
    log_in(booted)
    return booted


def runs(lab: Lab, program: str, user: str = "alice") -> list[str]:
    """Ids of somebody's processes of this program."""
    return lab.run("pgrep", "-u", user, "-x", program, check=False).stdout.split()


def windows(lab: Lab) -> str:
    """What the window manager lists."""
    here = ("env", "DISPLAY=:0", "XAUTHORITY=/home/alice/.Xauthority")
    return lab.run(*here, "wmctrl", "-l", "-x", check=False).stdout


def shown(lab: Lab, words: str) -> None:
    """Wait for a window with these words in its line, and until it is drawn."""
    lab.wait_until(f"the window of {words}", lambda: words in windows(lab), PATIENCE)
    still(lab)


def still(lab: Lab) -> None:
    """Nothing moves any more on the screen, black as it may be."""
    lab.wait_until("a picture at rest", Rest(lab.screenshot, drawn=True), PATIENCE)


def log_in(lab: Lab, user: str = "alice") -> None:
    """Somebody whose password is their name, if they are not in already."""
    if runs(lab, "xfce4-session", user):
        return
    lab.wait_until("the greeter", lab.greeter_shown, PATIENCE)
    type_text(lab, f"{user}\n")
    still(lab)
    type_text(lab, f"{user}\n")
    plugins = "wrapper-2.0"
    lab.wait_until("the panel's last plugin", lambda: len(runs(lab, plugins, user)) > 1, PATIENCE)
    still(lab)


def open_program(lab: Lab, command: str, name: str) -> None:
    """As a person does: the key for commands, its name."""
    press(lab, "alt", "f2")
    shown(lab, "Application Finder")
    type_text(lab, command)
    still(lab)
    press(lab, "ret")
    still(lab)
    if "Application Finder" in windows(lab):
        press(lab, "ret")  # the first one took what was proposed from before
    shown(lab, name)


def choose_in_the_menu(lab: Lab, words: str) -> None:
    """Find a program by what it is called, and start it: a window asks something then."""
    press(lab, "alt", "f3")
    shown(lab, "Application Finder")
    type_text(lab, words)
    still(lab)
    press(lab, "ret")
    shown(lab, " vfiod")


def picture(lab: Lab, name: str) -> None:
    lab.screenshot().save(SCREENS / f"xfce-{name}.png")


def test_the_menu_s_entry_asks_and_starts_the_guest(lab: Lab) -> None:
    lab.run("vfiod", "init", "win10", "--yes", timeout=240)
    session = runs(lab, "xfce4-session")
    choose_in_the_menu(lab, "win10")
    picture(lab, "question")
    press(lab, "esc")
    lab.wait_until("the window's end", lambda: not runs(lab, "zenity"), PATIENCE)
    assert (phase(lab), runs(lab, "xfce4-session")) == ("host", session)

    choose_in_the_menu(lab, "win10")
    press(lab, "tab")
    press(lab, "ret")
    lab.wait_until("the guest's colour", lab.guest_shown, PATIENCE)
    stop(lab)
    wait_for_host(lab)
    assert runs(lab, "xfce4-session") == []
    assert checks.device_faults(lab) == []


def test_unsaved_words_keep_the_desktop_and_the_guest_waits(lab: Lab) -> None:
    lab.sh("printf 'sessions: refuse-unsaved\\nlimits: {goodbye: 60}\\n' >> /etc/vfiod/vfiod.yaml")
    open_program(lab, "mousepad", "Mousepad")
    type_text(lab, "not saved")
    editor = runs(lab, "mousepad")
    status, words = start(lab)
    picture(lab, "unsaved")
    assert status == 1
    # A slow PC's window manager has a question of its own beside the editor's.
    assert re.search("alice has not logged out within 60 s: .*Mousepad", words)
    assert runs(lab, "mousepad") == editor
    lab.run("pkill", "-u", "alice", "-x", "mousepad")


def test_what_was_open_is_open_again_and_nothing_else(lab: Lab) -> None:
    lab.sh("printf 'sessions: refuse-unsaved\\nreopen: always\\n' >> /etc/vfiod/vfiod.yaml")
    open_program(lab, "mousepad", "Mousepad")
    open_program(lab, "xfce4-terminal", "Terminal")
    open_program(lab, "thunar", "Thunar")
    assert start(lab) == (0, "")
    assert "ask the desktop of alice to log out" in told(lab)
    written = json.loads(lab.get(WAITING))["applications"]
    assert {row["id"] for row in written} == set(APPLICATIONS)
    lab.wait_until("the guest's colour", lab.guest_shown, PATIENCE)
    stop(lab)
    wait_for_host(lab)
    log_in(lab)
    for name in ("Mousepad", "Terminal", "Thunar"):
        shown(lab, name)
    picture(lab, "reopened")
    assert [len(runs(lab, name)) for name in APPLICATIONS.values()] == [1, 1, 1]
    assert runs(lab, "xfce4-appfinder") == []
    assert lab.run("test", "-e", WAITING, check=False).returncode == 1
    assert checks.device_faults(lab) == []


def test_another_person_s_login_opens_nothing_and_hers_still_does(lab: Lab) -> None:
    lab.sh("printf 'reopen: always\n' >> /etc/vfiod/vfiod.yaml")
    lab.sh("useradd --create-home --shell /bin/bash bob; echo bob:bob | chpasswd")
    open_program(lab, "mousepad", "Mousepad")
    assert start(lab) == (0, "")
    lab.wait_until("the guest's colour", lab.guest_shown, PATIENCE)
    stop(lab)
    wait_for_host(lab)

    log_in(lab, "bob")
    picture(lab, "bob")
    assert (runs(lab, "mousepad", "bob"), runs(lab, "mousepad")) == ([], [])
    assert EDITOR in lab.get(WAITING).decode()
    lab.run("loginctl", "terminate-user", "bob")

    log_in(lab)
    shown(lab, "Mousepad")
    assert len(runs(lab, "mousepad")) == 1
