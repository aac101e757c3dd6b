"""A guest's entry in the login screen: valid, one command whoever splits it, and gone again."""

import subprocess
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.tree import Link, grow
from tests.unit.tools.init.test_launcher import ODD, key, xml
from vfiod.host.facts.loginscreen import guest_of
from vfiod.paths import GREETD_ENVIRONMENTS, PROGRAM, X_SESSIONS, below
from vfiod.tools.init.login_entry import entry, login_entries

ALIAS = "etc/systemd/system/display-manager.service"
FILE = f"vfiod-{pcs.UUID}.desktop"
LINE = f"{PROGRAM} session {pcs.UUID}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    grow(tmp_path, {"usr/share/doc": "", ALIAS: Link("/lib/systemd/system/gdm.service")})
    return tmp_path


def set_up(root: Path, *, wanted: bool = True) -> list[str]:
    """Write what is to be written; the files that were."""
    entries = login_entries("win11", xml(), wanted=wanted, root=root)
    for one in entries:
        one.apply()
    return [str(one.path.relative_to(root)) for one in entries if one.difference]


def now_with(root: Path, manager: str) -> None:
    (root / ALIAS).unlink()
    grow(root, {ALIAS: Link(f"/lib/systemd/system/{manager}.service")})


@pytest.mark.parametrize("guest", ODD)
def test_any_name_makes_a_valid_entry(tmp_path: Path, guest: str) -> None:
    path = tmp_path / FILE
    text = entry(guest, xml())
    # A key of sessions, which the specification of applications does not have.
    path.write_text(text.replace("DesktopNames=vfiod\n", ""))
    done = subprocess.run(
        ["desktop-file-validate", path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert key(text, "DesktopNames") == "vfiod"
    assert key(text, "Exec").split() == [PROGRAM, "session", pcs.UUID]
    assert key(text, "X-Vfiod-Guest") == guest


@pytest.mark.parametrize("guest", [*ODD, "a\\s"])
def test_its_name_is_found_by_its_uuid(root: Path, guest: str) -> None:
    for one in login_entries(guest, xml(), wanted=True, root=root):
        one.apply()
    assert guest_of(pcs.UUID, root) == guest
    assert [guest_of(other, root) for other in ("", "0815", "../x")] == ["", "", ""]


def test_it_is_named_as_in_the_menus() -> None:
    text = entry("win11", xml("http://microsoft.com/win/11"))
    assert (key(text, "Name"), key(text, "Icon")) == ("Windows (win11)", "vfiod-windows")


def test_it_comes_and_goes(root: Path) -> None:
    assert set_up(root) == [f"usr/share/wayland-sessions/{FILE}"]
    assert (root / f"usr/share/wayland-sessions/{FILE}").stat().st_mode & 0o777 == 0o644
    assert set_up(root) == []
    assert set_up(root, wanted=False) == [f"usr/share/wayland-sessions/{FILE}"]
    assert set_up(root, wanted=False) == []
    assert list((root / "usr/share/wayland-sessions").iterdir()) == []


def test_another_display_manager_gets_it_where_it_looks(root: Path) -> None:
    set_up(root)
    now_with(root, "lightdm")
    set_up(root)
    assert [path.relative_to(root) for path in root.rglob(FILE)] == [
        X_SESSIONS.relative_to("/") / FILE
    ]


def test_without_a_login_screen_there_is_none(root: Path) -> None:
    set_up(root)
    (root / ALIAS).unlink()
    set_up(root)
    assert list(root.rglob(FILE)) == []


@pytest.mark.parametrize("before", ["sway\nbash\n", "sway\nbash"])
def test_gtkgreet_has_a_line_for_it(root: Path, before: str) -> None:
    now_with(root, "greetd")
    path = below(root, GREETD_ENVIRONMENTS)
    grow(root, {str(path.relative_to(root)): before})
    assert len(set_up(root)) == 2
    assert path.read_text() == f"sway\nbash\n{LINE}"
    assert set_up(root) == []
    assert len(set_up(root, wanted=False)) == 2
    assert path.read_text() == "sway\nbash\n"


def test_a_list_of_gtkgreet_s_that_is_not_there_is_not_begun(root: Path) -> None:
    now_with(root, "greetd")
    assert len(set_up(root)) == 1
    assert not below(root, GREETD_ENVIRONMENTS).exists()
