"""The desktop that somebody usually logs in to: written down at a login, and found again."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from vfiod import paths
from vfiod.host.facts.loginscreen import WAYLAND, X11, Offered
from vfiod.tools.session.usual import Usual, choose, of_environment, recall, remember
from vfiod.util import userstate

GNOME = Offered("gnome", WAYLAND, paths.WAYLAND_SESSIONS)
GNOME_X = Offered("gnome", X11, paths.X_SESSIONS)
CLASSIC = Offered("gnome-classic", WAYLAND, paths.WAYLAND_SESSIONS)
SWAY = Offered("sway", WAYLAND, paths.WAYLAND_SESSIONS)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def at_login(session: str, kind: str = WAYLAND) -> dict[str, str]:
    return {"DESKTOP_SESSION": session, "XDG_SESSION_TYPE": kind}


@pytest.mark.parametrize(
    ("session", "name"),
    [
        ("plasma", "plasma"),
        ("/usr/share/xsessions/plasma", "plasma"),
        ("/usr/share/xsessions/plasma.desktop", "plasma"),
        ("gnome-classic", "gnome-classic"),
    ],
)
def test_a_session_has_its_file_s_name(session: str, name: str) -> None:
    assert of_environment(at_login(session, X11)) == Usual(name, X11)


@pytest.mark.parametrize(
    "session", ["", "vfiod-0815", "/usr/share/xsessions/vfiod-0815", "a\nb", "a:b"]
)
def test_some_are_none_to_come_back_to(session: str) -> None:
    assert of_environment(at_login(session)) is None
    remember(at_login(session))
    assert recall() is None


def test_the_last_login_counts() -> None:
    assert recall() is None
    for session, kind in (("sway", WAYLAND), ("xfce", X11), ("vfiod-0815", X11)):
        remember(at_login(session, kind))
    assert recall() == Usual("xfce", X11)


def test_what_is_known_already_is_not_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    remember(at_login("sway"))
    monkeypatch.setattr(userstate, "write", lambda *_: pytest.fail("written"))
    remember(at_login("sway"))


def test_a_home_that_cannot_be_written_is_no_error(home: Path) -> None:
    (home / "state").touch()
    remember(at_login("sway"))
    assert recall() is None


@pytest.mark.parametrize(
    ("known", "offered", "chosen"),
    [
        (Usual("gnome", X11), (GNOME, GNOME_X, SWAY), GNOME_X),
        (Usual("gnome", WAYLAND), (GNOME_X, GNOME, SWAY), GNOME),
        (Usual("gnome", "tty"), (GNOME, SWAY), GNOME),
        (Usual("removed", X11), (CLASSIC, GNOME), GNOME),
        (Usual("removed", X11), (SWAY,), SWAY),
        (None, (CLASSIC, GNOME_X, GNOME), GNOME),
        (None, (), None),
    ],
)
def test_what_is_proposed_is_installed(
    known: Usual | None, offered: Sequence[Offered], chosen: Offered | None
) -> None:
    assert choose(known, offered) == chosen
