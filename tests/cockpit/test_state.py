"""state.js decides by itself what may be pressed; asked in the browser that runs it."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.cockpit import scenes
from tests.cockpit.chromium import Page
from tests.cockpit.server import Cockpit

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="two users are needed, so root is")

Ask = Callable[..., Any]
RUNNING = ("running", "paused", "in shutdown")
DOWN = ("shut off", "crashed", "")


@pytest.fixture
def ask(page: Page, cockpit: Cockpit) -> Ask:
    """Calls a function of the module with values of JSON."""
    page.open(cockpit.page)
    page.until("window.vfiodReady")

    def call(name: str, *values: Any) -> Any:
        words = ", ".join(json.dumps(value) for value in values)
        return page.value(f"import('./state.js').then(state => state.{name}({words}))")

    return call


def seen(phase: str, *, state: str = "shut off", may_act: bool = True, **more: Any) -> Any:
    status = scenes.status(phase, None if phase == "host" else "win11")
    plain = {"link": "here", "status": status, "guests": [scenes.guest(state=state)],
             "pending": None, "ahead": 0, "mayAct": may_act, "told": [], "readAt": 0}  # fmt: skip
    return plain | more


def test_only_a_ready_guest_of_a_host_at_rest_can_start(ask: Ask) -> None:
    def can_start(*values: Any, **more: Any) -> Any:
        return ask("guestRows", seen(*values, **more))[0]["canStart"]

    assert can_start("host") is True
    for phase in ("handoff", "prepared", "guest", "return", "stuck"):
        assert can_start(phase) is False, phase
    for state in RUNNING:
        assert can_start("host", state=state) is False, state
    assert can_start("host", may_act=False) is False
    assert can_start("host", pending={"guest": "other", "until": 0}) is False
    assert can_start("host", guests=[scenes.guest(readiness="no memory")]) is False
    assert can_start("host", link="gone") is False


def test_a_guest_that_is_being_started_is_not_started_again(ask: Ask) -> None:
    """Between the countdown's end and libvirt's hook the phase is still the host's."""
    status = scenes.status() | {"starting": "win11"}
    guests = [scenes.guest("win11"), scenes.guest("steam")]
    first, second = ask("guestRows", seen("host", status=status, guests=guests))
    assert [first["starting"], second["starting"]] == [True, False]
    assert [first["canStart"], second["canStart"]] == [False, False]


def test_what_runs_can_be_ended_but_not_while_the_card_moves(ask: Ask) -> None:
    def can_end(*values: Any, **more: Any) -> Any:
        return ask("guestRows", seen(*values, **more))[0]["canEnd"]

    for phase in ("prepared", "guest"):
        for state in (*RUNNING, *DOWN):  # libvirt may not have answered
            assert can_end(phase, state=state) is True, (phase, state)
    for phase in ("handoff", "return"):
        assert can_end(phase, state="running") is False, phase
    assert can_end("stuck", state="running") is True
    assert can_end("host", state="shut off") is False
    assert can_end("guest", state="running", may_act=False) is False


def test_a_bar_stays_on_its_line(ask: Ask) -> None:
    way = {"seconds": 10}
    for start, seconds in ((0, 10), (9.999, 0), (10, 0), (0, 0), (12, 3)):
        bar = ask("bar", {"start": start, "seconds": seconds}, way)
        assert 0 <= bar["start"] <= bar["start"] + bar["width"] <= 100
        assert bar["width"] > 0.5
    assert ask("bar", {"start": 0, "seconds": 0}, {"seconds": 0})["width"] > 0.5


def test_a_text_of_the_catalog_falls_into_paragraphs_and_commands(ask: Ask) -> None:
    found = ask("paragraphs", "One that\ngoes on.\n\n  vfiod return\n  vfiod log\nAnother.")
    assert [(each["text"], each["isCommand"]) for each in found] == [
        ("One that goes on.", False),
        ("vfiod return", True),
        ("vfiod log", True),
        ("Another.", False),
    ]
