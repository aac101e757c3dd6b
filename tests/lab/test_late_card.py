"""A card that is late on a PC whose console begins the desktop: the login waits for the card."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from . import spoil, standin
from .emulator import layer, pixels
from .emulator.machine import Lab
from .guest import Guest
from .scene import configure, define, phase, start, stop, told, wait_for_return
from .test_desktops import PATIENCE, SAME, SUITE, WAYS, compositor, rest

pytestmark = pytest.mark.long
GETTY = "getty@tty1.service"
CONSOLE = next(way for way in WAYS if way.image == "getty")
LATE = 25  # s; limits.driver is 20


@pytest.fixture(scope="module")
def booted(deb: Path | None) -> Iterator[Lab]:
    """A PC whose console logs alice in to sway, on a card of amdgpu's."""
    with Lab(layer.prepared(SUITE, deb, CONSOLE.image)) as found:
        found.boot(PATIENCE)
        standin.use(found, "amdgpu", GETTY)
        yield found


@pytest.fixture
def lab(booted: Lab) -> Iterator[Lab]:
    """alice's desktop is drawn, and a guest is configured."""
    booted.wait_until("her desktop", lambda: compositor(booted, CONSOLE), timeout=PATIENCE)
    configure(booted)
    define(booted, Guest(does="stay"))
    yield booted
    spoil.heal(booted)
    standin.put(booted, "amdgpu", probe_seconds=0)
    if phase(booted) == "stuck":
        booted.run("vfiod", "return", "--force", check=False, timeout=180)
    wait_for_return(booted)


def guest_with_the_card(lab: Lab) -> None:
    assert start(lab) == (0, "")
    lab.wait_until("the guest's colour", lab.guest_shown, timeout=120)
    assert compositor(lab, CONSOLE) == ""


def same_at_the_first_login(lab: Lab) -> bool:
    """Whether her desktop is there without a second try: a failed one ends the console's login."""
    lab.wait_until("her desktop", lambda: compositor(lab, CONSOLE), timeout=PATIENCE)
    return lab.output("systemctl", "show", "-P", "NRestarts", GETTY) == "0"


def test_a_desktop_waits_for_a_driver_that_is_late(lab: Lab) -> None:
    before = rest(lab)
    guest_with_the_card(lab)
    standin.put(lab, "amdgpu", probe_seconds=LATE)
    stop(lab)
    wait_for_return(lab)
    assert same_at_the_first_login(lab)
    assert pixels.likeness(before, rest(lab)) > SAME


def test_a_desktop_waits_for_a_reset(lab: Lab) -> None:
    before = rest(lab)
    guest_with_the_card(lab)
    spoil.make_dead(lab, cure="bus", driver="amdgpu", module="amdgpu")
    stop(lab)
    wait_for_return(lab)
    assert "reset" in told(lab)
    assert same_at_the_first_login(lab)
    assert pixels.likeness(before, rest(lab)) > SAME
