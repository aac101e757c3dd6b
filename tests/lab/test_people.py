"""A person's desktop with sound, and a `virsh start` typed inside the desktop that dies of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .emulator.machine import Lab
from .guest import Guest
from .scene import configure, define, phase, start, stop, wait_for_host

AUTOLOGIN = "/etc/lightdm/lightdm.conf.d/50-alice.conf"


def alice_is_in(lab: Lab) -> bool:
    """Whether alice has a desktop session on the screen with her sound server running."""
    sessions = lab.output("loginctl", "list-sessions", "--no-legend")
    sound = lab.run("pgrep", "-u", "alice", "-x", "wireplumber", check=False)
    windows = lab.run("pgrep", "-u", "alice", "-x", "openbox", check=False)
    return "alice seat0" in sessions and sound.returncode == windows.returncode == 0


@pytest.fixture
def alice(lab: Lab, clean_host: None) -> Iterator[None]:
    """alice is logged in to the desktop; afterwards the greeter is there again."""
    lab.put("[Seat:*]\nautologin-user=alice\n", AUTOLOGIN)
    lab.run("systemctl", "restart", "lightdm", timeout=120)
    lab.wait_until("alice's desktop", lambda: alice_is_in(lab), timeout=180)
    lab.run("rm", AUTOLOGIN)
    yield
    wait_for_host(lab)


@pytest.mark.long
@pytest.mark.usefixtures("alice")
def test_a_session_with_sound_ends_and_the_greeter_comes_back(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    assert "user@1000.service" in lab.output("vfiod", "plan", "win10")
    assert start(lab) == (0, "")
    assert "alice" not in lab.output("loginctl", "list-sessions", "--no-legend")
    stop(lab)


@pytest.mark.usefixtures("alice")
def test_sessions_refuse_protects_her_work(lab: Lab) -> None:
    configure(lab)
    lab.sh("echo 'sessions: refuse' >> /etc/vfiod/vfiod.yaml")
    define(lab, Guest(does="stay"))
    status, words = start(lab)
    assert status == 1
    assert "the work of alice (openbox) would end" in words
    assert alice_is_in(lab)
    lab.run("systemctl", "restart", "lightdm", timeout=120)


@pytest.mark.usefixtures("alice")
def test_virsh_in_the_desktop_that_dies(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    lab.run("usermod", "--append", "--groups", "libvirt", "alice")
    typed = "xterm -e virsh -c qemu:///system start win10"
    desktop = "DISPLAY=:0 XAUTHORITY=/home/alice/.Xauthority"
    lab.sh(f"{desktop} setsid {typed} >/dev/null 2>&1 </dev/null &", user="alice")
    lab.wait_until("the guest's start", lambda: phase(lab) == "guest", timeout=120)
    assert lab.run("pgrep", "-x", "xterm", check=False).returncode == 1
    stop(lab)
