"""A guest's entry in the applications menu: valid, and any name is one argument of one program."""

import subprocess
from pathlib import Path

import pytest
from gi.repository import GLib

from tests.fakes import pcs
from vfiod.errors import HostError
from vfiod.paths import PROGRAM
from vfiod.tools.init.launcher import Launcher, entry, launcher_of

OS = "http://libosinfo.org/xmlns/libvirt/domain/1.0"
ODD = ["win11", "my guest", "-n 'Gäst' 客人", 'a"b', "$HOME `id`", "50%u", "a\\b", " x", "%%", ";"]


def xml(system: str = "", title: str = "") -> str:
    os = f"<metadata><l:l xmlns:l='{OS}'><l:os id='{system}'/></l:l></metadata>" if system else ""
    return pcs.xml().replace("<memory", f"<title>{title}</title>{os}<memory", 1)


def key(text: str, name: str) -> str:
    """A value as desktops read it."""
    file = GLib.KeyFile()
    file.load_from_data(text, len(text.encode()), GLib.KeyFileFlags.NONE)
    return str(file.get_string("Desktop Entry", name))


@pytest.mark.parametrize("guest", ODD)
def test_any_name_makes_a_valid_entry(tmp_path: Path, guest: str) -> None:
    path = tmp_path / "vfiod-guest.desktop"
    path.write_text(entry(guest, xml()))
    done = subprocess.run(
        ["desktop-file-validate", path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("guest", ODD)
def test_any_name_is_one_argument(guest: str) -> None:
    line = key(entry(guest, xml()), "Exec")
    assert "%" not in line.replace("%%", "")  # no field code is left
    _, words = GLib.shell_parse_argv(line.replace("%%", "%"))
    assert words == [PROGRAM, "start", "--ask", "--", guest]


@pytest.mark.parametrize(
    ("system", "title", "name", "icon"),
    [
        ("http://microsoft.com/win/11", "", "Windows (win11)", "vfiod-windows"),
        ("http://debian.org/debian/12", "Work", "Debian (win11)", "vfiod-linux"),
        ("http://example.org/os", "Work", "Work (win11)", "vfiod-guest"),
        ("", "", "Virtual machine (win11)", "vfiod-guest"),
    ],
)
def test_the_system_gives_name_and_icon(system: str, title: str, name: str, icon: str) -> None:
    text = entry("win11", xml(system, title))
    assert (key(text, "Name"), key(text, "Icon")) == (name, icon)
    icons = Path(__file__).parents[4] / "config" / "icons"
    assert (icons / f"{icon}.svg").exists()


def test_it_is_taken_away_again(tmp_path: Path) -> None:
    there = launcher_of("win11", xml(), wanted=True, root=tmp_path)
    there.apply()
    assert there.path == tmp_path / f"usr/local/share/applications/vfiod-{pcs.UUID}.desktop"
    assert launcher_of("win11", xml(), wanted=True, root=tmp_path).difference == []
    gone = launcher_of("renamed/../x", xml(), wanted=False, root=tmp_path)
    assert gone.difference
    gone.apply()
    gone.apply()
    assert list(there.path.parent.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HostError, match="cannot write"):
        Launcher(tmp_path / "file" / "x.desktop", "", "[Desktop Entry]\n").apply()
