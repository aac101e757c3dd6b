"""Names of units, as launchers make them."""

import shutil
import subprocess

import pytest

from vfiod.util.unitnames import (
    candidates,
    escape,
    is_begun_by_bus,
    is_launcher,
    scope_of,
    starts_by_itself,
)


@pytest.mark.parametrize(
    ("name", "ident"),
    [
        ("app-gnome-firefox\\x2desr-2100.scope", "firefox-esr"),
        ("app-gnome-firefox-2100.scope", "firefox"),
        ("app-org.kde.konsole-1a2b.scope", "org.kde.konsole"),
        ("app-org.kde.dolphin@3f7e8bd0.service", "org.kde.dolphin"),
        ("app-org.kde.dolphin.service", "org.kde.dolphin"),
        ("app-KDE-org.kde.kate@12.service", "org.kde.kate"),
        ("app-flatpak-org.mozilla.firefox-2891.scope", "org.mozilla.firefox"),
        ("app-Hyprland-foot-77c0.scope", "foot"),
        ("app-org.gnome.Terminal.slice", "org.gnome.Terminal"),
        ("app-gnome-k\\xc3\\xa4se-1.scope", "käse"),
        ("dbus-:1.2-org.gnome.Nautilus@0.service", "org.gnome.Nautilus"),
        ("snap.firefox.firefox-1b4e28ba-2fa1-11d2-883f-0016d3cca427.scope", "firefox_firefox"),
        ("snap.code.code.1b4e28ba-2fa1-11d2-883f-0016d3cca427.scope", "code_code"),
        ("app-vfiod-firefox\\x2desr-0a1b2c3d.scope", "firefox-esr"),
        # Not escaped, as some launchers leave it.
        ("app-sway-visual-studio-code-991.scope", "visual-studio-code"),
    ],
)
def test_the_id_is_among_what_it_may_stand_for(name: str, ident: str) -> None:
    assert ident in candidates(name)


@pytest.mark.parametrize(
    "name",
    ["pipewire.service", "init.scope", "session-2.scope", "vte-spawn-5f.scope", "app.slice",
     "app-org.gnome.Software@autostart.service", "user@1000.service", "", "app-.scope"],
)  # fmt: skip
def test_others_stand_for_none(name: str) -> None:
    assert list(candidates(name)) == []


def test_what_systemd_begins_at_the_login() -> None:
    assert starts_by_itself("app-nm\\x2dapplet@autostart.service")
    assert not starts_by_itself("app-nm\\x2dapplet@0a.service")


def test_what_the_bus_begins() -> None:
    assert is_begun_by_bus("dbus-:1.2-org.gnome.clocks@0.service")
    assert not is_begun_by_bus("app-org.gnome.clocks@0.service")


def test_launchers_by_name_or_path() -> None:
    assert all(map(is_launcher, ("fuzzel", "/usr/bin/tofi-drun", "/nix/store/x/.rofi-wrapped")))
    assert not any(map(is_launcher, ("firefox", "/usr/bin/rofimoji", "")))


@pytest.mark.parametrize(
    "ident", ["firefox-esr", "org.kde.kate", "käse", "a b", ".hidden", "x@y+z"]
)
def test_an_id_is_escaped_as_systemd_does_and_found_again(ident: str) -> None:
    assert ident in candidates(f"app-vfiod-{escape(ident)}-00c0ffee.scope")
    if tool := shutil.which("systemd-escape"):
        done = subprocess.run([tool, "--", ident], capture_output=True, text=True, check=True)
        assert escape(ident) == done.stdout.strip()


@pytest.mark.parametrize(
    "ident", ["firefox-esr", "x" * 200, "腾讯软件" * 50, "-" * 200, "é" * 100, "wine-Programs-微信"]
)
def test_a_scope_s_name_is_never_longer_than_systemd_takes(ident: str) -> None:
    name = scope_of(ident, "00c0ffee")
    assert len(name) <= 255
    assert name.startswith("app-vfiod-")
    assert name.endswith("-00c0ffee.scope")
    # No letter is cut in two.
    (kept,) = [found for found in candidates(name) if not found.startswith(("app", "vfiod-"))][:1]
    assert ident.startswith(kept)
    assert kept == ident or len(name) > 240
