"""Each button, pressed with mouse or keys: what it says first, what the daemon is asked then."""

import os
import time
from typing import Any

import pytest

from tests.cockpit import scenes
from tests.cockpit.chromium import Page
from tests.cockpit.conftest import Daemon, at_rest, open_page
from tests.cockpit.server import Cockpit

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="two users are needed, so root is")

DIALOG = "document.querySelector('dialog').innerText"
IDLE = scenes.HOST | {"guests": [scenes.guest(people=[])]}


def asked(daemon: Daemon, count: int = 1) -> list[list[Any]]:
    """The calls, once there are so many."""
    deadline = time.monotonic() + 20
    while len(calls := daemon.calls()) < count:
        assert time.monotonic() < deadline, calls
    return calls


@pytest.mark.parametrize(("scene", "seconds"), [(scenes.HOST, 10), (IDLE, 0)])
def test_start_names_whose_work_ends(
    page: Page, cockpit: Cockpit, daemon: Daemon, scene: dict[str, Any], seconds: int
) -> None:
    open_page(page, cockpit, daemon, scene)
    page.click('[data-key="start:win11"]')
    said = page.until(DIALOG.replace(".innerText", "?.innerText"))
    people = scene["guests"][0]["people"]
    assert all(person in said for person in people)
    assert ("Nobody's work ends" in said) is not people
    assert daemon.calls() == []
    page.click("dialog [data-key=yes]")
    assert asked(daemon) == [["StartGuest", "win11", seconds]]


def test_a_button_that_is_pressed_twice_asks_once(
    page: Page, cockpit: Cockpit, daemon: Daemon
) -> None:
    """libvirt is asked first, which takes its time; what is under way shows that it is."""
    open_page(page, cockpit, daemon, scenes.HOST)
    start = "document.querySelector('[data-key=\"start:win11\"]')"
    page.until(f"{start}?.disabled === false")
    page.value(f"{start}.click(), {start}.click()")
    page.until("document.querySelector('dialog')")
    assert page.value(f"{start}.ariaBusy") == "true"
    at_rest(page, daemon)
    assert page.value("document.querySelectorAll('dialog').length") == 1
    page.click("dialog [data-key=no]")
    page.until(f"{start}.ariaBusy === null")
    page.click('[data-key="start:win11"]')
    page.click("dialog [data-key=yes]")
    assert asked(daemon) == [["StartGuest", "win11", 10]]


def test_a_start_that_waits_can_be_cancelled(page: Page, cockpit: Cockpit, daemon: Daemon) -> None:
    pending = {"guest": "win11", "until": scenes.in_seconds(30)}
    open_page(page, cockpit, daemon, scenes.HOST | {"pending": pending})
    page.sees("win11 starts in")
    page.click('[data-key="cancel:win11"]')
    assert asked(daemon) == [["CancelStart"]]
    daemon.show(scenes.HOST)
    page.until("!document.querySelector('.countdown')")


@pytest.mark.parametrize(
    ("button", "says", "force"),
    [("shutdown", "as by its power button", False), ("force", "as if the plug of win11", True)],
)
def test_ending_the_guest(
    page: Page, cockpit: Cockpit, daemon: Daemon, button: str, says: str, *, force: bool
) -> None:
    open_page(page, cockpit, daemon, scenes.GUEST)
    page.click(f'[data-key="{button}:win11"]')
    assert says in page.until(DIALOG.replace(".innerText", "?.innerText"))
    page.click("dialog [data-key=yes]")
    assert asked(daemon) == [["ShutdownGuest", "win11", force]]


def test_a_trial_is_kept(page: Page, cockpit: Cockpit, daemon: Daemon) -> None:
    guest = scenes.guest(state="running", trial_until=scenes.in_seconds(100))
    open_page(page, cockpit, daemon, scenes.GUEST | {"guests": [guest]})
    page.click('[data-key="keep:win11"]')
    assert asked(daemon) == [["Keep", "win11", 0]]


def test_what_is_stuck_is_tried_again_and_reset(
    page: Page, cockpit: Cockpit, daemon: Daemon
) -> None:
    open_page(page, cockpit, daemon, scenes.STUCK)
    page.click("[data-key=retry]")
    assert asked(daemon) == [["Return", False]]
    page.click("[data-key=reset]")
    page.click("dialog [data-key=yes]")
    assert asked(daemon, 2)[1] == ["Return", True]


def test_a_question_is_answered_by_keys(page: Page, cockpit: Cockpit, daemon: Daemon) -> None:
    """The focus is on the harmless answer, stays in the dialog, and comes back."""
    open_page(page, cockpit, daemon, scenes.GUEST)
    focus = "document.activeElement.dataset.key"
    force = '[data-key="force:win11"]'
    page.until(f"document.querySelector('{force}')?.disabled === false")
    page.value(f"document.querySelector('{force}').focus()")
    page.key("Enter", 13, "\r")
    page.until(f"{focus} === 'no'")
    for _ in range(4):
        page.key("Tab", 9)
        assert page.value(f"{focus} ?? 'browser'") in ("yes", "no", "browser")
    page.key("Escape", 27)
    page.until(f"{focus} === 'force:win11'")
    assert daemon.calls() == []


def test_whoever_has_the_focus_keeps_it_while_things_change(
    page: Page, cockpit: Cockpit, daemon: Daemon
) -> None:
    open_page(page, cockpit, daemon, scenes.GUEST)
    page.until("document.querySelector('[data-key=\"force:win11\"]')?.disabled === false")
    page.value("document.querySelector('[data-key=\"force:win11\"]').focus()")
    guest = scenes.guest(title="Renamed", state="running")
    daemon.show(scenes.GUEST | {"guests": [guest]})
    page.click("[data-key=refresh]")
    page.value("document.querySelector('[data-key=\"force:win11\"]').focus()")
    page.sees("Renamed")
    page.until("document.activeElement.dataset.key === 'force:win11'")


def test_what_the_daemon_refuses_is_read_out(page: Page, cockpit: Cockpit, daemon: Daemon) -> None:
    open_page(page, cockpit, daemon, scenes.GUEST)
    daemon.refuse(ShutdownGuest="win11 does not answer")
    page.click('[data-key="shutdown:win11"]')
    page.click("dialog [data-key=yes]")
    page.until("document.querySelector('[role=alert]')?.innerText.includes('does not answer')")
    assert "win11 was not shut down." in page.value("document.getElementById('notices').innerText")
    page.click("#notices [data-key=close]")
    assert page.value("document.querySelector('[role=alert]')") is None


def test_a_start_that_fails_later_is_told(page: Page, cockpit: Cockpit, daemon: Daemon) -> None:
    open_page(page, cockpit, daemon, scenes.HOST)
    page.sees("win11 could start now.")
    daemon.ended("win11", started=False, message="the card is held by Xorg")
    page.sees("the card is held by Xorg")


def test_limited_access_shows_but_cannot_act(page: Page, limited: Cockpit, daemon: Daemon) -> None:
    limited.prints("vfiod log", scenes.history())
    open_page(page, limited, daemon, scenes.GUEST)
    page.sees("Limited access")
    page.sees("win11 has the card.")
    page.until("document.querySelector('[data-key=\"force:win11\"]')")
    enabled = "Array.from(document.querySelectorAll('button:not(:disabled)'), b => b.dataset.key)"
    assert set(page.value(enabled)) <= {"refresh", "examine"}
    # And whoever presses what is not to be pressed gets nowhere.
    refused = page.value(
        "import('./bus.js').then(bus => bus.act('ShutdownGuest', 'sb', 'win11', true))"
        ".then(() => 'done', error => error.problem || error.name)"
    )
    assert refused != "done"
    assert daemon.calls() == []


def test_in_cockpits_own_frame(page: Page, cockpit: Cockpit, daemon: Daemon) -> None:
    daemon.show(scenes.HOST)
    page.open(f"{cockpit.address}/vfiod")
    frame = "document.querySelector('iframe[name=\"cockpit1:localhost/vfiod\"]')?.contentDocument"
    page.until(f"{frame}?.body?.innerText.includes('win11 could start now.')")
    page.sees("Graphics card")  # the menu's
