"""A PC for two: the second seat has a card of its own, and its person is somebody's neighbour."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from . import byhand, checks
from .conftest import Labs
from .emulator.machine import Lab
from .guest import Guest
from .scene import configure, define, start, stop, wait_for_host
from .test_two_cards import CARD, PORT, SECOND

pytestmark = pytest.mark.long
SEAT = "[Seat:seat1]\nautologin-user=alice\n"


def alice_is_there(lab: Lab) -> bool:
    """Whether alice's windows are on the second seat's screen."""
    sessions = lab.output("loginctl", "list-sessions", "--no-legend")
    windows = lab.run("pgrep", "-u", "alice", "-x", "openbox", check=False)
    return re.search(r"alice +seat1", sessions) is not None and windows.returncode == 0


@pytest.fixture
def lab(fresh_lab: Labs) -> Iterator[Lab]:
    """The first card is configured for a guest; alice works at the second."""
    found = fresh_lab(extra=("-device", PORT, "-device", CARD))
    card = found.sh(f"ls -d /sys/bus/pci/devices/{SECOND}/drm/card*").stdout.strip()
    found.put(SEAT, "/etc/lightdm/lightdm.conf.d/50-seat1.conf")
    found.run("loginctl", "attach", "seat1", card)
    found.run("systemctl", "restart", "lightdm", timeout=120)
    found.wait_until("alice's desktop", lambda: alice_is_there(found), timeout=180)
    found.wait_until("the greeter", found.greeter_shown, timeout=120)
    configure(found)
    define(found, Guest(does="stay"))
    yield found
    wait_for_host(found)
    assert byhand.drivers(found, [SECOND]) == {SECOND: "bochs-drm"}
    assert checks.faults(found) == []


def test_the_neighbour_is_asked_for(lab: Lab) -> None:
    """One display manager has both seats: its end is the end of her work, too."""
    lab.sh("echo 'sessions: refuse' >> /etc/vfiod/vfiod.yaml")
    status, words = start(lab)
    assert (status, "the work of alice" in words) == (1, True), words
    assert alice_is_there(lab)
    assert lab.greeter_shown()


def test_the_neighbours_desktop_is_back_after_the_guest(lab: Lab) -> None:
    assert "alice" in lab.output("vfiod", "plan", "win10")
    assert start(lab) == (0, "")
    lab.wait_until("the guest's colour", lab.guest_shown, timeout=120)
    stop(lab)
    wait_for_host(lab)
    lab.wait_until("alice's desktop", lambda: alice_is_there(lab), timeout=180)
