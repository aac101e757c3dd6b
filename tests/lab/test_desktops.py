"""Desktops that people have: they go, a guest comes, and what was on the screen is there again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image as Picture

from . import checks
from .emulator import layer, pixels
from .emulator.machine import Lab
from .emulator.rest import Rest
from .guest import Guest
from .keyboard import type_text
from .scene import configure, define, facts, start, stop, wait_for_return

pytestmark = pytest.mark.long
# Debian 13 has them all, whatever the other tests run on.
SUITE = "trixie"
# But for a clock, a cursor and the like.
SAME = 0.97
# A compositor that an emulated processor draws for takes its time.
PATIENCE = 1200.0


@dataclass(frozen=True)
class Way:
    """How alice gets in: what she types, and the process that is her desktop's."""

    image: str
    keys: tuple[str, ...]
    compositor: str


WAYS = (
    Way("greetd", ("alice\n", "alice\n"), "sway"),
    Way("getty", (), "sway"),
)


@pytest.fixture(scope="module", params=WAYS, ids=lambda way: way.image)
def way(request: pytest.FixtureRequest) -> Way:
    """One desktop after the other."""
    found: Way = request.param
    return found


@pytest.fixture(scope="module")
def lab(way: Way, deb: Path | None) -> Iterator[Lab]:
    """A lab with that desktop, just booted."""
    with Lab(layer.prepared(SUITE, deb, way.image)) as found:
        yield found.boot(PATIENCE)


def rest(lab: Lab) -> Picture.Image:
    """What is drawn once nothing moves any more."""
    picture = lab.wait_until("a picture at rest", Rest(lab.screenshot), timeout=PATIENCE)
    assert picture is not None
    return picture


def round_trip(lab: Lab) -> None:
    """A guest gets the card and shows its colour, ends, and the host has everything back."""
    define(lab, Guest(does="stay"))
    assert start(lab) == (0, "")
    lab.wait_until("the guest's colour", lab.guest_shown, timeout=120)
    stop(lab)
    wait_for_return(lab)
    assert checks.device_faults(lab) == []


def same_after_a_guest(lab: Lab) -> None:
    """What is on the screen goes, a guest comes, and it is there again."""
    configure(lab)
    before = rest(lab)
    round_trip(lab)
    assert pixels.likeness(before, rest(lab)) > SAME
    assert facts(lab)["phase"] == "host"


def compositor(lab: Lab, way: Way) -> str:
    """Process id of alice's compositor; empty while she has none."""
    done = lab.run("pgrep", "--oldest", "-u", "alice", "-x", way.compositor, check=False)
    return done.stdout.strip()


def log_in(lab: Lab, way: Way) -> None:
    """alice types what she always types, if she is not in already, and her desktop is drawn.

    Its process is there long before: until then the login screen stands still.
    """
    asked: Picture.Image | None = None
    if not compositor(lab, way):
        for keys in way.keys:
            asked = lab.screenshot()
            type_text(lab, keys)
            rest(lab)
    lab.wait_until("alice's desktop", lambda: compositor(lab, way), timeout=PATIENCE)
    if asked is not None:
        lab.wait_until("its picture", lambda: differs(lab, asked), timeout=PATIENCE)
    rest(lab)


def differs(lab: Lab, before: Picture.Image) -> bool:
    """Whether something else is on the screen now."""
    return pixels.likeness(before, lab.screenshot()) < SAME


def test_what_was_on_the_screen_is_there_again(lab: Lab) -> None:
    same_after_a_guest(lab)


def test_the_work_of_who_is_logged_in_is_guarded(lab: Lab, way: Way) -> None:
    log_in(lab, way)
    configure(lab)
    lab.sh("echo 'sessions: refuse' >> /etc/vfiod/vfiod.yaml")
    define(lab, Guest(does="stay"))
    alive = compositor(lab, way)
    status, words = start(lab)
    assert status == 1
    assert "the work of alice" in words
    assert compositor(lab, way) == alive


def test_a_session_ends_and_people_can_log_in_again(lab: Lab, way: Way) -> None:
    log_in(lab, way)
    configure(lab)
    before = compositor(lab, way)
    round_trip(lab)
    lab.wait_until("its end", lambda: compositor(lab, way) != before, timeout=30)
    rest(lab)
    log_in(lab, way)
