"""Who asks in a window, and that yes is a yes and all else a no."""

from pathlib import Path

import pytest

from vfiod.cli import dialog
from vfiod.errors import HostError

TEXT = "Your session will end.\n\nStart win11?"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path


def install(place: Path, name: str, status: int = 0) -> Path:
    """A program that writes down what it is given and ends with this status."""
    path = place / name
    path.write_text(f'#!/bin/sh\nprintf "%s\\0" "$@" > {place}/said\nexit {status}\n')
    path.chmod(0o755)
    return path


def said(place: Path) -> list[str]:
    return (place / "said").read_text().split("\0")[:-1]


def environment(place: Path, **more: str) -> dict[str, str]:
    return {"PATH": str(place), "DISPLAY": ":0", **more}


@pytest.mark.parametrize("name", ["zenity", "kdialog", "yad"])
@pytest.mark.parametrize(("status", "agreed"), [(0, True), (1, False), (2, False), (252, False)])
def test_only_the_button_is_a_yes(place: Path, name: str, status: int, *, agreed: bool) -> None:
    install(place, name, status)
    asker = dialog.find(environment(place))
    assert asker.ask(TEXT, yes="Start win11") is agreed
    options = said(place)
    assert any(TEXT in option for option in options)
    assert any("Start win11" in option for option in options)


def test_a_desktop_s_own_program_is_preferred(place: Path) -> None:
    for name in ("zenity", "kdialog", "yad"):
        install(place, name)
    for desktop, first in (("KDE", "kdialog"), ("XFCE", "zenity")):
        found = dialog.find(environment(place, XDG_CURRENT_DESKTOP=desktop))
        assert isinstance(found, dialog.Ways)
        assert found.windows[0].name == first


@pytest.mark.parametrize("end", ["kill -SEGV $$", "kill -ABRT $$", "exit 255"])
def test_a_window_that_nobody_saw_is_no_answer(place: Path, end: str) -> None:
    """zenity 4 was seen to crash in llvmpipe: a click in the menu then did nothing at all."""
    (place / "zenity").write_text(f"#!/bin/sh\n{end}\n")
    (place / "zenity").chmod(0o755)
    install(place, "yad", 1)
    asker = dialog.find(environment(place))
    assert not asker.ask(TEXT, yes="Start win11")
    assert any(TEXT in option for option in said(place))


def test_a_question_that_nobody_answers_is_a_no(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was told as an error: that zenity did not end within 300 s."""
    monkeypatch.setattr(dialog, "_PATIENCE", 0.2)
    (place / "zenity").write_text("#!/bin/sh\nexec /usr/bin/sleep 60\n")
    (place / "zenity").chmod(0o755)
    asker = dialog.find(environment(place))
    assert not asker.ask(TEXT, yes="Start win11")
    asker.tell("win11 was not started")


def test_if_no_window_shows_and_nothing_else_can_ask_that_is_said(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(place, "zenity", 255)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={place}/nobody")
    with pytest.raises(HostError, match="nothing here can ask"):
        dialog.find(environment(place)).ask(TEXT, yes="Start win11")


def test_without_a_desktop_the_way_without_one_is_told(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(place, "zenity")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={place}/nobody")
    with pytest.raises(HostError, match="nothing here can ask") as caught:
        dialog.find({"PATH": str(place)})
    assert "vfiod start" in caught.value.hint


@pytest.mark.parametrize("name", ["zenity", "kdialog", "yad", "xmessage", "xterm"])
def test_what_went_wrong_is_told_without_a_desktop_too(place: Path, name: str) -> None:
    install(place, name)
    teller = dialog.find_teller(environment(place))
    assert teller is not None
    teller.tell("win11 was not started")
    assert any("win11 was not started" in option for option in said(place))


def test_a_window_that_closing_makes_a_yes_asks_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("xmessage", "xterm"):
        install(place, name)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={place}/nobody")
    with pytest.raises(HostError, match="nothing here can ask"):
        dialog.find(environment(place))


def test_without_a_screen_nobody_tells(place: Path) -> None:
    install(place, "zenity")
    assert dialog.find_teller({"PATH": str(place)}) is None
