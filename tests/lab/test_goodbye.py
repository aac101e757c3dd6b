"""Desktops that are asked to log out: one that cannot be asked, and sway with its windows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .emulator import layer
from .emulator.machine import Lab
from .guest import Guest
from .scene import configure, define, start, stop, told, wait_for_return
from .test_desktops import PATIENCE, SUITE, Way, compositor, log_in
from .test_people import alice, alice_is_in

pytestmark = pytest.mark.long
SWAY = Way("getty", (), "sway")

__all__ = ["alice"]


def wanted(lab: Lab, policy: str, more: str = "") -> None:
    """A guest whose start asks people first."""
    configure(lab)
    lab.sh(f"printf '%s\\n' 'sessions: {policy}' {more} >> /etc/vfiod/vfiod.yaml")
    define(lab, Guest(does="stay"))


def asked(lab: Lab) -> str:
    """The last line that says how long a logout took, or why there was none."""
    lines = [line for line in told(lab).splitlines() if "to log out" in line]
    return lines[-1] if lines else ""


# Openbox alone: no session manager


@pytest.mark.usefixtures("alice")
def test_a_desktop_that_cannot_be_asked_is_not_ended_where_that_must_be(lab: Lab) -> None:
    wanted(lab, "refuse-unsaved")
    status, words = start(lab)
    assert status == 1
    assert "nobody on the desktop of alice can be asked to log out" in words
    assert "log out, then start win10 again" in words
    assert alice_is_in(lab)
    lab.run("systemctl", "restart", "lightdm", timeout=120)


@pytest.mark.usefixtures("alice")
def test_it_is_ended_all_the_same_where_that_is_said(lab: Lab) -> None:
    wanted(lab, "log-out")
    assert start(lab) == (0, "")
    assert "can be asked to log out; it is ended all the same" in told(lab)
    assert "alice" not in lab.output("loginctl", "list-sessions", "--no-legend")
    stop(lab)


# sway, begun by a getty that logs alice in


@pytest.fixture(scope="module")
def sway(deb: Path | None) -> Iterator[Lab]:
    """A lab with alice's sway, just booted."""
    with Lab(layer.prepared(SUITE, deb, SWAY.image)) as found:
        lab = found.boot(PATIENCE)
        log_in(lab, SWAY)
        yield lab


def test_a_window_that_does_not_close_refuses_the_start(sway: Lab) -> None:
    """One that stands still is to vfiod what one that asks is: it is there."""
    wanted(sway, "refuse-unsaved", "'limits: {goodbye: 40}'")
    alive = compositor(sway, SWAY)
    sway.run("pkill", "-STOP", "-u", "alice", "-x", "foot")
    try:
        status, words = start(sway)
        assert status == 1
        assert "the desktop of alice has not logged out within 40 s: foot" in words
        assert compositor(sway, SWAY) == alive
    finally:
        sway.run("pkill", "-CONT", "-u", "alice", "-x", "foot")


def test_sway_ends_when_its_windows_have_closed_and_does_not_come_between(sway: Lab) -> None:
    wanted(sway, "refuse-unsaved")
    before = compositor(sway, SWAY)
    assert start(sway) == (0, "")
    assert "ask the desktop of alice to log out, within 60 s (" in asked(sway)
    sway.wait_until("the guest's colour", sway.guest_shown, timeout=120)
    stop(sway)
    wait_for_return(sway)
    log_in(sway, SWAY)
    assert compositor(sway, SWAY) != before
