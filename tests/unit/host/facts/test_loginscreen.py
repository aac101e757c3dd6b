"""Which sessions can be chosen, and which folder each login screen reads."""

from pathlib import Path

import pytest

from tests.fakes.tree import Contents, Link, grow
from vfiod import paths
from vfiod.host.facts import loginscreen
from vfiod.host.facts.loginscreen import Offered, folder_for_entries, read_sessions

ALIAS = "etc/systemd/system/display-manager.service"
ENTRY = "[Desktop Entry]\nName=A desktop\nExec=desktop\n"


def at(root: Path, manager: str, more: dict[str, Contents] | None = None) -> Path | None:
    """The folder on a host with this display manager."""
    grow(root, {"usr/bin/desktop": "", **(more or {})})
    if manager:
        grow(root, {ALIAS: Link(f"/lib/systemd/system/{manager}.service")})
    return folder_for_entries(root)


@pytest.mark.parametrize("manager", ["gdm", "gdm3", "sddm", "greetd", "cosmic-greeter", "ly"])
def test_most_show_it_beside_the_wayland_desktops(tmp_path: Path, manager: str) -> None:
    assert at(tmp_path, manager) == paths.WAYLAND_SESSIONS


@pytest.mark.parametrize("manager", ["lightdm", "lxdm"])
def test_some_want_a_session_of_x(tmp_path: Path, manager: str) -> None:
    assert at(tmp_path, manager) == paths.X_SESSIONS


@pytest.mark.parametrize(
    ("line", "folder"),
    [
        ("WaylandEnable=false", paths.X_SESSIONS),
        (" waylandenable = False ", paths.X_SESSIONS),
        ("#WaylandEnable=false", paths.WAYLAND_SESSIONS),
        ("WaylandEnable=true", paths.WAYLAND_SESSIONS),
    ],
)
@pytest.mark.parametrize("file", ["gdm3/daemon.conf", "gdm3/custom.conf", "gdm/custom.conf"])
def test_a_gdm_without_wayland_is_seen(tmp_path: Path, file: str, line: str, folder: Path) -> None:
    assert at(tmp_path, "gdm", {f"etc/{file}": f"[daemon]\n{line}\n"}) == folder


def test_opensuse_names_it_elsewhere(tmp_path: Path) -> None:
    chosen: dict[str, Contents] = {
        "etc/alternatives/default-displaymanager": Link("/usr/lib/X11/displaymanagers/lightdm")
    }
    assert at(tmp_path, "display-manager-legacy", chosen) == paths.X_SESSIONS


def test_an_alternative_that_is_not_used_does_not_count(tmp_path: Path) -> None:
    chosen: dict[str, Contents] = {
        "etc/alternatives/default-displaymanager": Link("/usr/lib/X11/displaymanagers/lightdm")
    }
    assert at(tmp_path, "sddm", chosen) == paths.WAYLAND_SESSIONS


def test_an_image_has_a_place_of_its_own(tmp_path: Path) -> None:
    assert at(tmp_path, "gdm", {"run/ostree-booted": ""}) == paths.WAYLAND_SESSIONS_LOCAL


@pytest.mark.parametrize(("manager", "file"), [("", "etc/os-release"), ("gdm", "etc/NIXOS")])
def test_where_nobody_looks_there_is_none(tmp_path: Path, manager: str, file: str) -> None:
    assert at(tmp_path, manager, {file: ""}) is None


def test_the_sessions_that_can_be_chosen(tmp_path: Path) -> None:
    grow(tmp_path, {
        "usr/share/wayland-sessions/gnome.desktop": ENTRY,
        "usr/share/wayland-sessions/vfiod-0815.desktop": ENTRY,
        "usr/share/wayland-sessions/hidden.desktop": f"{ENTRY}NoDisplay=true\n",
        "usr/share/wayland-sessions/README": "",
        "usr/share/xsessions/gnome.desktop": ENTRY,
        "usr/local/share/xsessions/mine.desktop": ENTRY,
        "usr/local/share/xsessions/gnome.desktop": ENTRY,
    })  # fmt: skip
    assert read_sessions(tmp_path) == (
        Offered("gnome", loginscreen.WAYLAND, paths.WAYLAND_SESSIONS),
        Offered("gnome", loginscreen.X11, paths.X_SESSIONS),
        Offered("mine", loginscreen.X11, paths.X_SESSIONS_LOCAL),
    )
    assert read_sessions(tmp_path / "nowhere") == ()
