"""Windows on X11, as wmctrl lists them, and a compositor's program as a stand-in."""

from pathlib import Path

import pytest

from vfiod.tools.reopen import compositor
from vfiod.tools.reopen.opened import Window
from vfiod.tools.reopen.wmctrl import moving, windows

LISTED = """\
0x01e00003 -1 1730   xfce4-panel.Xfce4-panel  lab xfce4-panel
0x03c00003  0 2200   chromium.Chromium     lab A page. With points - Chromium
0x04000006  2 0      Mail.thunderbird-esr  N/A Inbox
0x04200001  1 2210   org.gnome.Nautilus.Org.gnome.Nautilus  lab Home
rubbish
"""


def test_each_window_with_its_desktop() -> None:
    assert list(windows(LISTED)) == [
        (0x01E00003, Window("Xfce4-panel", 1730, "")),
        (0x03C00003, Window("Chromium", 2200, "0")),
        (0x04000006, Window("thunderbird-esr", 0, "2")),
        (0x04200001, Window("Org.gnome.Nautilus", 2210, "1")),
    ]


def test_a_window_is_moved() -> None:
    assert moving(0x03C00003, "2") == ("-i", "-r", "0x03c00003", "-t", "2")


@pytest.mark.parametrize("workspace", ["", "-1", "2: web", "1111", "x", "\u0662"])
def test_what_is_no_desktop_of_x11_is_none(workspace: str) -> None:
    assert moving(1, workspace) == ()


def programs(folder: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> Path:
    """Stand-ins that note what they were asked and list the windows above."""
    log = folder / "log"
    (folder / "listed").write_text(LISTED)
    for name in names:
        program = folder / name
        text = f'#!/bin/sh\necho {name} "$@" $DISPLAY >> {log}\ncat {folder}/listed\n'
        program.write_text(text)
        program.chmod(0o755)
    found = {name: str(folder / name) for name in names}
    monkeypatch.setattr(compositor, "find", found.get)
    return log


def test_on_x11_wmctrl_is_asked_on_the_user_s_display(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = programs(tmp_path, monkeypatch, "wmctrl")
    found = compositor.find_compositor({"DISPLAY": ":7"})
    assert [window.app for _, window in found.windows()][1:3] == ["Chromium", "thunderbird-esr"]
    found.move(0x04000006, "1")
    assert log.read_text().splitlines() == [
        "wmctrl -l -p -x :7", "wmctrl -i -r 0x04000006 -t 1 :7",
    ]  # fmt: skip


def test_a_compositor_with_a_socket_is_asked_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = programs(tmp_path, monkeypatch, "wmctrl", "swaymsg")
    socket = tmp_path / "sway-ipc.1000.7.sock"
    socket.touch()
    found = compositor.find_compositor({"DISPLAY": ":7", "XDG_RUNTIME_DIR": str(tmp_path)})
    assert found.windows() == []
    found.move(7, "3: text")
    listed, moved = log.read_text().splitlines()
    assert listed == f"swaymsg -s {socket} -t get_tree"
    assert moved.startswith(f"swaymsg -s {socket} -- [con_id=7] move ")
    assert moved.endswith('container to workspace "3: text"')


def test_without_a_display_nobody_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = programs(tmp_path, monkeypatch, "wmctrl", "swaymsg")
    assert compositor.find_compositor({"XDG_RUNTIME_DIR": str(tmp_path)}).windows() == []
    assert not log.exists()
