"""What alice has open comes back at her next login, once; what needs no screen goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import checks
from .emulator import layer
from .emulator.hardware import GPU
from .emulator.machine import Lab
from .emulator.rest import Rest
from .guest import Guest
from .scene import configure, define, have_gio, phase, start, stop, told, wait_for_return

pytestmark = pytest.mark.long
SUITE, IMAGE = "trixie", "getty"
PATIENCE = 400.0
WAITING = "/home/alice/.local/state/vfiod/reopen.json"
AS_ALICE = ("setpriv", "--reuid=alice", "--regid=alice", "--init-groups", "env",
            "HOME=/home/alice", "XDG_RUNTIME_DIR=/run/user/1000")  # fmt: skip
# As sway's own wiki has it: the desktop's target, which begins graphical-session.target.
TARGET = """\
[Unit]
BindsTo=graphical-session.target
Wants=graphical-session-pre.target
After=graphical-session-pre.target
"""
SWAY = """\
exec "systemctl --user import-environment WAYLAND_DISPLAY SWAYSOCK && \
systemctl --user start sway-session.target"
"""
ENTRY = """\
[Desktop Entry]
Type=Application
Name={name}
Exec=/usr/local/bin/{name} --app-id={name} sleep infinity
"""
APPLICATIONS = ("notes", "board", "sheet")
# A service with the card open: one of hers as a remote desktop's, the system's that watches it.
# Who opens it first is its master, and no compositor can show anything then.
ON_THE_CARD = f"""\
[Service]
ExecStart=/bin/sh -c 'exec 3</dev/dri/by-path/pci-{GPU}-card; exec sleep infinity'
"""


def as_alice(lab: Lab, *argv: str, check: bool = True) -> str:
    """In no session of her own, which would keep her manager."""
    return lab.run(*AS_ALICE, *argv, check=check).stdout.strip()


def sway(lab: Lab, *words: str) -> str:
    """Her compositor's answer."""
    socket = lab.sh("ls -t /run/user/1000/sway-ipc.*.sock | head -n 1").stdout.strip()
    return as_alice(lab, "swaymsg", "-s", socket, *words)


def desktop(lab: Lab) -> str:
    """Process id of her compositor; empty while she has none."""
    return lab.run("pgrep", "-u", "alice", "-x", "sway", check=False).stdout.strip()


def running(lab: Lab, name: str) -> list[str]:
    """Process ids of an application of hers."""
    done = lab.run("pgrep", "-u", "alice", "-x", name, check=False)
    return done.stdout.split()


def workspaces(lab: Lab) -> dict[str, str]:
    """Where the windows are, by their names."""
    found: dict[str, str] = {}

    def below(node: Any, workspace: str) -> None:
        workspace = node["name"] if node["type"] == "workspace" else workspace
        if node.get("app_id"):
            found[node["app_id"]] = workspace
        for child in (*node["nodes"], *node["floating_nodes"]):
            below(child, workspace)

    below(json.loads(sway(lab, "-t", "get_tree")), "")
    return found


def log_in_anew(lab: Lab, before: str) -> None:
    """Her console logs her in by itself, as soon as what was there has ended."""
    lab.wait_until("alice's desktop", lambda: desktop(lab) not in ("", before), timeout=PATIENCE)
    lab.wait_until("her first window", lambda: running(lab, "foot"), timeout=PATIENCE)


@pytest.fixture(scope="module")
def lab(deb: Path | None) -> Iterator[Lab]:
    """A PC whose console logs alice in to sway, with three applications in the menu."""
    with Lab(layer.prepared(SUITE, deb, IMAGE)) as found:
        found.boot(PATIENCE)
        furnish(found)
        yield found


def furnish(lab: Lab) -> None:
    have_gio(lab)
    lab.put(TARGET, "/etc/systemd/user/sway-session.target")
    lab.put(SWAY, "/etc/sway/config.d/session.conf")
    for name in APPLICATIONS:
        lab.run("cp", "/usr/bin/foot", f"/usr/local/bin/{name}")
        lab.put(ENTRY.format(name=name), f"/usr/local/share/applications/{name}.desktop")
    before = desktop(lab)
    lab.run("systemctl", "restart", "getty@tty1")
    log_in_anew(lab, before)


@pytest.fixture
def open_applications(lab: Lab) -> Iterator[None]:
    """One begun by the compositor on another workspace, one in a unit, one by the menu's way."""
    configure(lab)
    # What takes a fraction of a second elsewhere takes its time here.
    lab.sh("printf 'reopen: always\\nlimits: {desktop: 120}\\n' >> /etc/vfiod/vfiod.yaml")
    define(lab, Guest(does="stay"))
    sway(lab, "--", "workspace 3: text; exec /usr/local/bin/notes --app-id=notes sleep infinity")
    lab.wait_until("notes", lambda: "notes" in workspaces(lab), timeout=PATIENCE)
    sway(lab, "--", "workspace 1")
    command = "/usr/local/bin/board --app-id=board sleep infinity"
    unit = "systemd-run --user --scope --slice=app.slice --unit=app-lab-board-77.scope"
    sway(lab, "--", f"exec {unit} {command}")
    sway(lab, "--", "exec gio launch /usr/local/share/applications/sheet.desktop")
    wanted = {*APPLICATIONS}
    lab.wait_until("the windows", lambda: wanted <= workspaces(lab).keys(), timeout=PATIENCE)
    yield
    for name in APPLICATIONS:
        lab.run("pkill", "-u", "alice", "-x", name, check=False)
    lab.run("rm", "-f", WAITING)


def written(lab: Lab) -> dict[str, str]:
    """What waits for her next login."""
    value = json.loads(lab.get(WAITING))
    return {row["id"]: row["workspace"] for row in value["applications"]}


def all_are_back(lab: Lab) -> None:
    wanted = {"notes": "3: text", "board": "1", "sheet": "1"}
    lab.wait_until(
        "the windows", lambda: wanted.items() <= workspaces(lab).items(), timeout=PATIENCE
    )
    assert [len(running(lab, name)) for name in APPLICATIONS] == [1, 1, 1]


@pytest.mark.usefixtures("open_applications")
def test_what_was_open_is_open_again_once(lab: Lab) -> None:
    before = desktop(lab)
    assert start(lab) == (0, "")
    assert "write down what alice has open" in told(lab)
    assert written(lab).items() >= {"notes": "3: text", "board": "1", "sheet": "1"}.items()
    assert "sleep" not in lab.get(WAITING).decode()
    assert lab.output("stat", "-c", "%a %U", WAITING) == "600 alice"
    assert all(running(lab, name) == [] for name in APPLICATIONS)
    stop(lab)
    wait_for_return(lab)
    log_in_anew(lab, before)
    all_are_back(lab)
    # By its whole command: the session has a server of foot's, too.
    terminals = lab.run("pgrep", "-u", "alice", "-fx", "foot", check=False).stdout.split()
    assert len(terminals) == 1
    assert lab.run("test", "-e", WAITING, check=False).returncode == 1
    again = desktop(lab)
    lab.run("systemctl", "restart", "getty@tty1")
    log_in_anew(lab, again)
    unit = ("systemctl", "--user", "show", "-P", "ActiveState", "vfiod-reopen.service")
    lab.wait_until("the unit's end", lambda: as_alice(lab, *unit) == "inactive", timeout=PATIENCE)
    assert all(running(lab, name) == [] for name in APPLICATIONS)
    assert checks.device_faults(lab) == []


@pytest.mark.usefixtures("open_applications")
def test_a_reboot_under_the_guest_loses_nothing(lab: Lab) -> None:
    assert start(lab) == (0, "")
    lab.restart(PATIENCE)
    log_in_anew(lab, "")
    all_are_back(lab)


@pytest.mark.usefixtures("open_applications")
def test_a_guest_and_a_daemon_that_are_killed_lose_nothing(lab: Lab) -> None:
    before = desktop(lab)
    assert start(lab) == (0, "")
    killed = lab.output("cat", "/run/libvirt/qemu/win10.pid")
    daemon = lab.output("systemctl", "show", "-P", "MainPID", "vfiod")
    lab.run("kill", "-KILL", killed, daemon)
    wait_for_return(lab)
    log_in_anew(lab, before)
    all_are_back(lab)
    assert lab.run("test", "-e", WAITING, check=False).returncode == 1
    assert checks.device_faults(lab) == []


@pytest.mark.usefixtures("open_applications")
def test_a_start_that_fails_before_her_session_ends_leaves_no_list(lab: Lab) -> None:
    """A service that nobody may stop comes first of what is stopped."""
    before = desktop(lab)
    lab.sh("echo 'stop: [obstinate.service]' >> /etc/vfiod/vfiod.yaml")
    lab.put("[Service]\nExecStart=sleep infinity\n"
            "[Unit]\nRefuseManualStop=yes\n",
            "/run/systemd/system/obstinate.service")  # fmt: skip
    lab.run("systemctl", "daemon-reload")
    lab.run("systemctl", "start", "obstinate")
    status, _ = start(lab)
    assert status == 1
    assert desktop(lab) == before
    assert lab.run("test", "-e", WAITING, check=False).returncode == 1
    assert all(running(lab, name) for name in APPLICATIONS)


def test_a_build_goes_on_while_the_guest_has_the_screen(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    lab.run("loginctl", "enable-linger", "alice")
    try:
        before = desktop(lab)
        as_alice(lab, "systemd-run", "--user", "--unit=build", "sleep", "infinity")
        unit = ("systemctl", "--user", "show", "-P", "MainPID", "build")
        build = as_alice(lab, *unit)
        assert "Services of alice go on" in lab.output("vfiod", "plan", "win10")
        assert start(lab) == (0, "")
        lab.wait_until("the guest's colour", lab.guest_shown, timeout=120)
        assert as_alice(lab, *unit) == build != "0"
        stop(lab)
        wait_for_return(lab)
        assert as_alice(lab, *unit) == build
        log_in_anew(lab, before)
    finally:
        as_alice(lab, "systemctl", "--user", "stop", "build", check=False)
        lab.run("loginctl", "disable-linger", "alice")
    assert phase(lab) == "host"
    assert checks.device_faults(lab) == []
    lab.wait_until("a picture at rest", Rest(lab.screenshot), timeout=PATIENCE)


@pytest.fixture
def on_the_card(lab: Lab) -> Iterator[None]:
    """A service of hers has the card open, and need not end when she logs out; so has another."""
    lab.put(ON_THE_CARD, "/etc/systemd/user/on-the-card.service")
    lab.put(ON_THE_CARD, "/run/systemd/system/watcher.service")
    lab.run("systemctl", "daemon-reload")
    lab.run("adduser", "--quiet", "alice", "video")
    lab.run("loginctl", "enable-linger", "alice")
    before = desktop(lab)
    lab.run("systemctl", "stop", "getty@tty1")
    lab.run("systemctl", "restart", "user@1000.service")  # which has the new group
    lab.run("systemctl", "start", "getty@tty1")
    log_in_anew(lab, before)
    as_alice(lab, "systemctl", "--user", "start", "on-the-card")
    lab.run("systemctl", "start", "watcher")
    yield
    lab.run("systemctl", "stop", "watcher")
    as_alice(lab, "systemctl", "--user", "stop", "on-the-card", check=False)
    lab.run("rm", "/etc/systemd/user/on-the-card.service")
    lab.run("loginctl", "disable-linger", "alice")


@pytest.mark.usefixtures("on_the_card")
def test_services_on_the_card_are_back_once_her_desktop_has_it(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    state = ("systemctl", "--user", "show", "-P", "ActiveState", "on-the-card")
    manager = lab.output("systemctl", "show", "-P", "MainPID", "user@1000.service")
    before = desktop(lab)
    assert start(lab) == (0, "")
    lab.wait_until("the guest's colour", lab.guest_shown, timeout=120)
    assert (as_alice(lab, *state), checks.unit_state(lab, "watcher")) == ("inactive", "inactive")
    assert lab.output("systemctl", "show", "-P", "MainPID", "user@1000.service") == manager
    stop(lab)
    wait_for_return(lab)
    assert (as_alice(lab, *state), checks.unit_state(lab, "watcher")) == ("active", "active")
    log_in_anew(lab, before)
    assert lab.output("systemctl", "show", "-P", "NRestarts", "getty@tty1") == "0"
    assert checks.device_faults(lab) == []
