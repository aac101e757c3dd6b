"""What a person's processes tell of their desktop."""

import os
from pathlib import Path

import psutil
import pytest

from vfiod.tools.goodbye import surroundings

RUN = Path("/run/user/1000")
SCOPE = "0::/user.slice/user-1000.slice/session-2.scope"
OTHER = "0::/user.slice/user-1000.slice/session-5.scope"


class Process:
    """One of psutil's, as far as it is asked."""

    def __init__(self, pid: int, name: str, uid: int, **environment: str) -> None:
        self.pid, self._name, self._uid, self._environment = pid, name, uid, environment

    def name(self) -> str:
        return self._name

    def uids(self) -> "Process":
        return self

    @property
    def real(self) -> int:
        return self._uid

    def environ(self) -> dict[str, str]:
        if not self._environment:
            raise psutil.AccessDenied(self.pid)
        return self._environment


def test_the_session_s_own_programs_tell_first(monkeypatch: pytest.MonkeyPatch) -> None:
    me = os.getuid()
    groups = {50: OTHER, 60: SCOPE, 61: SCOPE, 70: SCOPE}
    processes = [
        Process(50, "ssh-agent", me, DBUS_SESSION_BUS_ADDRESS="unix:path=/tmp/other"),
        Process(60, "dbus-run-session", me),
        Process(61, "foot", me, DBUS_SESSION_BUS_ADDRESS="unix:path=/tmp/own", SECRET="no"),
        Process(70, ".sway-wrapped", me),
        Process(80, "labwc", me + 1, DBUS_SESSION_BUS_ADDRESS="unix:path=/tmp/theirs"),
    ]
    monkeypatch.setattr(psutil, "process_iter", lambda: iter(processes))
    monkeypatch.setattr(surroundings, "_group", lambda process: groups.get(process.pid, ""))
    around = surroundings.read("2", RUN)
    assert (around.bus, around.compositor, around.pid) == ("unix:path=/tmp/own", "sway", 70)
    assert set(around.variables) == {"DBUS_SESSION_BUS_ADDRESS"}


def test_a_user_s_bus_is_where_systemd_puts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "process_iter", lambda: iter(()))
    around = surroundings.read("2", RUN)
    assert (around.bus, around.compositor) == ("unix:path=/run/user/1000/bus", "")
    assert around.display == "wayland-0"


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        ("labwc", "labwc"), (".labwc-wrapped", "labwc"), (".Hyprland-wrapp", "Hyprland"),
        (".wayfire-wrappe", "wayfire"), ("Hyprland-wrapp", ""), ("labwc-tweaks", ""),
    ],
)  # fmt: skip
def test_a_compositor_of_nixos_has_a_wrapped_name_that_is_cut(
    shown: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Process(70, shown, os.getuid())
    monkeypatch.setattr(psutil, "process_iter", lambda: iter([process]))
    assert surroundings.read("2", RUN).compositor == name


X11 = {"DISPLAY": ":0", "XAUTHORITY": "/home/alice/.Xauthority"}
WAYLAND = {"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":1", "XAUTHORITY": "/run/user/1000/x"}


@pytest.mark.parametrize(
    ("own", "others", "expected"),
    [
        ([X11], [], X11),
        ([X11, {**X11, "WAYLAND_DISPLAY": "gamescope-0"}], [], X11),
        ([{"HYPRLAND_INSTANCE_SIGNATURE": "x"}, X11], [{"WAYLAND_DISPLAY": "wayland-1"}], X11),
        ([], [X11, {**X11, "WAYLAND_DISPLAY": "gamescope-0"}], X11),
        ([WAYLAND, X11], [], {}),
        ([{"WAYLAND_DISPLAY": "wayland-0"}, WAYLAND], [X11], {}),
        ([{"XAUTHORITY": "/home/alice/.Xauthority"}, X11], [], X11),
        ([{"XDG_SESSION_TYPE": "wayland"}], [X11, WAYLAND], {}),
        ([{"XDG_SESSION_TYPE": "wayland"}], [X11], {}),
        ([{"XDG_SESSION_TYPE": "x11"}], [WAYLAND, X11], X11),
        ([{"XDG_SESSION_TYPE": "tty"}, X11], [WAYLAND], X11),
    ],
)
def test_the_display_is_one_program_s(
    monkeypatch: pytest.MonkeyPatch, own: list[dict[str, str]], others: list[dict[str, str]],
    expected: dict[str, str],
) -> None:  # fmt: skip
    """Not X11's of one and Wayland's of a game or of a service from an earlier login."""
    me = os.getuid()
    processes = [Process(10 + n, "x", me, **given) for n, given in enumerate([*others, *own])]
    scope = {p.pid: SCOPE for p in processes[len(others) :]}
    monkeypatch.setattr(psutil, "process_iter", lambda: iter(processes))
    monkeypatch.setattr(surroundings, "_group", lambda process: scope.get(process.pid, ""))
    assert surroundings.read("2", RUN).x11 == expected


def test_without_a_file_of_its_own_the_display_s_key_is_in_the_home(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home/alice")
    around = surroundings.Surroundings(RUN, {"DISPLAY": ":0"})
    assert around.x11 == {"DISPLAY": ":0", "HOME": "/home/alice"}
    assert surroundings.Surroundings(RUN, X11).x11 == X11


@pytest.mark.parametrize(
    ("locks", "expected"),
    [
        ({"old_1": "12\nwayland-1\n", "new_2": "70\nwayland-2\n"}, "new_2"),
        ({"old_1": "12\nwayland-1\n"}, "old_1"), ({"new_2": "70"}, "new_2"), ({}, "old_1"),
        ({"new_2": "", "other_3": "700\nwayland-1\n"}, "old_1"),
    ],
)  # fmt: skip
def test_the_hyprland_that_is_asked_is_the_one_that_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, locks: dict[str, str], expected: str
) -> None:
    """With uwsm all is in the user's manager, and a tmux of an earlier login has a lower number."""
    tmux = Process(12, "tmux", os.getuid(), HYPRLAND_INSTANCE_SIGNATURE="old_1")
    processes = [tmux, Process(70, "Hyprland", os.getuid())]
    monkeypatch.setattr(psutil, "process_iter", lambda: iter(processes))
    for name, words in locks.items():
        (tmp_path / "hypr" / name).mkdir(parents=True)
        (tmp_path / "hypr" / name / "hyprland.lock").write_text(words)
    assert surroundings.read("2", tmp_path).hyprland == expected
