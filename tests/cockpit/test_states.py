"""Each state of the daemon, as the page shows it in a browser, live from the bus."""

import itertools
import json
import os
import time
from pathlib import Path

import pytest

from tests.cockpit import scenes
from tests.cockpit.chromium import Page
from tests.cockpit.conftest import Daemon, at_rest, open_page
from tests.cockpit.server import Cockpit
from tests.dbus.bus import PrivateBus

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="two users are needed, so root is")

SAID = "document.getElementById('said').textContent"


def text(page: Page, part: str) -> str:
    return str(page.value(f"document.getElementById('{part}').innerText"))


def test_who_has_the_card_at_each_step_of_the_way(
    page: Page, cockpit: Cockpit, daemon: Daemon
) -> None:
    open_page(page, cockpit, daemon, scenes.HOST)
    page.until("document.querySelector('.way.host .end.lit')")
    assert "The host has its display." in text(page, "card")

    daemon.show(scenes.HANDOFF)
    page.until("document.querySelector('.way.moving.handoff')")
    page.sees("move 0000:01:00.0 to vfio-pci")
    assert "The card is on its way to win11." in text(page, "card")

    daemon.show(scenes.GUEST)
    page.until("document.querySelector('.way.guest .end.lit')")
    page.until("document.querySelector('.sentence').innerText.includes('1 h 6 min')")

    daemon.show(scenes.RETURN)
    daemon.progress("win11", "return", "detach", "give 0000:01:00.0 back to its driver")
    page.until("document.querySelector('.way.moving.return')")
    page.sees("give 0000:01:00.0 back to its driver")

    daemon.show(scenes.HOST)
    page.until("document.querySelector('.way.host .end.lit')")
    assert page.value(SAID) == "The host has its display."
    assert page.complaints() == []


def test_a_screen_that_may_be_dark_without_a_handoff_is_not_called_the_host_s(
    page: Page, cockpit: Cockpit, daemon: Daemon
) -> None:
    open_page(page, cockpit, daemon, scenes.AWAY)
    page.sees("0000:01:00.0 is with vfio-pci: the host can show nothing on it")
    assert page.value(SAID) == "No handoff is under way. See below."
    assert page.value("document.querySelectorAll('.end.lit').length") == 0
    assert page.complaints() == []


def test_what_is_stuck_is_named_with_what_can_be_done(
    page: Page, cockpit: Cockpit, daemon: Daemon
) -> None:
    open_page(page, cockpit, daemon, scenes.STUCK)
    page.sees("0000:01:00.0 does not answer after its reset")
    page.until("document.querySelector('[data-key=reset]:not(:disabled)')")
    assert page.value(SAID).startswith("Stuck after win11")


def test_a_daemon_that_goes_and_comes_back(
    page: Page, cockpit: Cockpit, bus: PrivateBus, daemon: Daemon
) -> None:
    second = None
    open_page(page, cockpit, daemon, scenes.HOST)
    page.sees("win11 could start now.")
    daemon.stop()
    page.sees("vfiod does not answer.")
    page.click("[data-key=restart]")
    page.until("!document.querySelector('[data-key=\"start:win11\"]:not(:disabled)')")
    try:
        second = Daemon(bus)
        second.show(scenes.HOST)
        page.sees("The host has its display.")
        assert "systemctl restart vfiod.service" in cockpit.ran()
    finally:
        if second is not None:
            second.stop()


NONE = "No guest is configured"


def test_a_page_that_is_opened_while_the_daemon_is_down(
    page: Page, cockpit: Cockpit, bus: PrivateBus
) -> None:
    """What is not known is not that there is none; it is read once somebody answers."""
    page.open(cockpit.page)
    page.sees("vfiod does not answer.")
    page.until("!document.getElementById('guests').innerText.includes('Asking')")
    assert NONE not in text(page, "guests")
    daemon = Daemon(bus)
    try:
        daemon.show(scenes.HOST | {"guests": []})
        page.sees(NONE)
    finally:
        daemon.stop()


def test_guests_are_read_anew_after_the_daemon_was_away(
    page: Page, cockpit: Cockpit, bus: PrivateBus, daemon: Daemon
) -> None:
    open_page(page, cockpit, daemon, scenes.GUEST)
    page.sees("It has the card.")
    daemon.stop()
    page.sees("vfiod does not answer.")
    assert "win11" not in text(page, "guests")
    second = Daemon(bus)
    try:
        second.show(scenes.HOST)
        page.sees("win11 could start now.")
        assert page.value("document.querySelector('[data-key=\"force:win11\"]')") is None
    finally:
        second.stop()


def test_a_page_that_is_opened_in_a_tab_behind(
    page: Page, cockpit: Cockpit, daemon: Daemon
) -> None:
    hidden = "Object.defineProperty(document, 'hidden', {get: () => window.away ?? true})"
    page.call("Page.addScriptToEvaluateOnNewDocument", source=hidden)
    open_page(page, cockpit, daemon, scenes.HOST)
    page.until("window.vfiodReady")
    page.value("window.away = false, document.dispatchEvent(new Event('visibilitychange'))")
    page.sees("win11 could start now.")
    page.sees("All is well.")
    assert page.complaints() == []


_WATCH = """import('./bus.js').then(bus => {
    const clients = [], calls = [];
    window.setTimeout = (then, after) => calls.push([then, after]);
    window.cockpit.dbus = () => {
        const listens = {};
        clients.push(listens);
        return { subscribe() {}, addEventListener: (name, then) => { listens[name] = then; } };
    };
    let appeared = 0;
    bus.watchName(() => { appeared += 1; });
    for (let times = 0; times < 3; times += 1) {
        clients.at(-1).close?.();
        calls.splice(0).forEach(([then]) => then());
    }
    return [clients.length, appeared];
})"""


def test_the_name_is_watched_again_after_the_bus_was_away(page: Page, cockpit: Cockpit) -> None:
    page.open(cockpit.page)
    page.until("window.vfiodReady")
    assert page.value(_WATCH) == [4, 3]


def test_readiness_and_its_reasons(page: Page, cockpit: Cockpit, daemon: Daemon) -> None:
    open_page(page, cockpit, daemon, scenes.HOST)
    page.sees("win11 could start now.")
    assert "steam could not start now." in text(page, "guests")
    assert "8 GiB are free, the guest wants 16 GiB\n\nClose programs." in text(page, "guests")
    assert page.value("document.querySelector('[data-key=\"start:steam\"]').disabled") is True


def test_the_last_handoffs_are_timelines(page: Page, cockpit: Cockpit, daemon: Daemon) -> None:
    cockpit.prints("vfiod log", scenes.history())
    open_page(page, cockpit, daemon, scenes.HOST)
    page.sees("handed over and returned")
    page.click("summary[data-key^='story-summary']")
    page.sees("win10 had the devices for 1 h 2 min.")
    bars = "Array.from(document.querySelectorAll('details[open] .timeline rect'))"
    ends = page.value(f"{bars}.map(r => parseFloat(r.getAttribute('x')))")
    assert len(ends) > 10
    assert all(0 <= x <= 100 for x in ends)
    assert page.value(f"Math.max(...{bars}.map(r => r.getBoundingClientRect().width))") > 50


def test_a_program_that_is_not_there_is_named(page: Page, cockpit: Cockpit, daemon: Daemon) -> None:
    (cockpit.work / "bin" / "vfiod").unlink()
    open_page(page, cockpit, daemon, scenes.GUEST)
    page.sees("The program vfiod is not installed on the host.")
    page.sees("win11 has the card.")


def test_findings_of_the_doctor_with_their_remedies(
    page: Page, cockpit: Cockpit, daemon: Daemon
) -> None:
    cockpit.prints("vfiod doctor", scenes.findings())
    open_page(page, cockpit, daemon, scenes.HOST)
    page.sees("Failed: 1, warnings: 1.")
    labels = page.value(
        "Array.from(document.querySelectorAll('#doctor .label'), e => e.textContent)"
    )
    assert labels == ["fails", "warning", "ok"]
    assert "Do: Move the card to another slot.\n\nvfiod groups" in text(page, "doctor")


def test_while_a_guest_has_the_screen_the_pc_is_examined_on_request_only(
    page: Page, cockpit: Cockpit, daemon: Daemon
) -> None:
    open_page(page, cockpit, daemon, scenes.GUEST)
    page.sees("win11 has the card.")
    page.until("document.querySelector('[data-key=\"force:win11\"]:not(:disabled)')")
    assert "vfiod doctor --json" not in cockpit.ran()
    cockpit.prints("vfiod doctor", scenes.findings())
    page.click("[data-key=examine]")
    page.sees("Failed: 1")


def test_a_countdown_goes_by_the_hosts_clock(page: Page, cockpit: Cockpit, daemon: Daemon) -> None:
    until = scenes.in_seconds(90)
    guest = scenes.guest(state="running", trial_until=until)
    daemon.show({"status": scenes.status("guest", "win11"), "guests": [guest]})
    page.call(  # a phone that is an hour behind
        "Page.addScriptToEvaluateOnNewDocument",
        source="{ const now = Date.now; Date.now = () => now() - 3600e3; }",
    )
    page.open(cockpit.page)
    page.sees("On trial: it is ended in 1 min")
    left = page.value("document.querySelector('.countdown').textContent")
    page.until(f"document.querySelector('.countdown').textContent !== {json.dumps(left)}")


def test_what_the_bus_says_is_text(page: Page, cockpit: Cockpit, daemon: Daemon) -> None:
    evil = scenes.MARKUP
    guest = scenes.guest(evil, title=evil, state=evil, people=[evil],
                         reasons=[{"reason": evil, "remedy": evil}])  # fmt: skip
    stuck = scenes.status("stuck", evil, faults=[evil], last={"result": evil, "message": evil})
    daemon.show({"status": stuck, "guests": [guest]})
    daemon.progress(evil, "return", evil, evil)
    page.open(cockpit.page)
    page.until(f"document.getElementById('guests')?.innerText.includes({json.dumps(evil)})")
    page.until(f"document.querySelector('.fault').textContent === {json.dumps(evil)}")
    assert page.value("document.querySelectorAll('#page img, #page b').length") == 0
    assert page.value("window.hurt") is None


def test_in_chinese(page: Page, cockpit: Cockpit, daemon: Daemon) -> None:
    daemon.show(scenes.HOST)
    page.call("Network.setCookie", name="CockpitLang", value="zh-cn", url=cockpit.address)
    page.call("Network.setExtraHTTPHeaders", headers={"Accept-Language": "zh-CN"})
    page.open(cockpit.page)
    page.sees("win11 现在可以启动。")
    page.sees("主机拥有自己的显示。")
    assert page.value("document.documentElement.lang") == "zh-CN"


def test_nothing_is_asked_while_nobody_looks(page: Page, cockpit: Cockpit, daemon: Daemon) -> None:
    open_page(page, cockpit, daemon, scenes.HOST)
    page.sees("win11 could start now.")
    page.value("Object.defineProperty(document, 'hidden', {get: () => window.away ?? false})")
    turn = "window.away = {}, document.dispatchEvent(new Event('visibilitychange'))"
    page.value(turn.format("true"))
    before = at_rest(page, daemon)
    daemon.show(scenes.GUEST)
    daemon.progress("win11", "handoff", "detach", "move 0000:01:00.0 to vfio-pci")
    page.value("new Promise(done => setTimeout(done, 1500))")
    assert daemon.reads() == before
    page.value(turn.format("false"))
    page.sees("win11 has the card.")
    assert daemon.reads() > before


def test_nothing_is_asked_at_intervals(page: Page, cockpit: Cockpit, daemon: Daemon) -> None:
    """That nothing comes can only be seen by waiting: what polls never comes to rest."""
    open_page(page, cockpit, daemon, scenes.HOST)
    page.sees("win11 could start now.")
    page.until("document.querySelector('[data-key=\"start:win11\"]:not(:disabled)')")
    assert at_rest(page, daemon, quiet=3000) > 0


def test_beside_a_daemon_of_older_days(page: Page, cockpit: Cockpit, old_daemon: Daemon) -> None:
    old_daemon.show(scenes.HOST)
    page.open(cockpit.page)
    page.sees("This vfiod is older than this page")
    old_daemon.show(scenes.GUEST)
    page.sees("win11 has the card.")
    at_rest(page, old_daemon)  # or the button is drawn anew under the mouse
    page.click('[data-key="force:win11"]')
    page.click("dialog [data-key=yes]")
    deadline = time.monotonic() + 60
    while "vfiod return --destroy" not in cockpit.ran():
        assert time.monotonic() < deadline


@pytest.mark.parametrize("scene", ["HOST", "HANDOFF", "GUEST", "STUCK"])
def test_it_fits_phone_and_pc_in_light_and_dark(
    page: Page, cockpit: Cockpit, daemon: Daemon, tmp_path: Path, scene: str
) -> None:
    """Nothing sticks out, and what is pressed is as high as a thumb; a picture of each is left."""
    cockpit.prints("vfiod log", scenes.history())
    cockpit.prints("vfiod doctor", scenes.findings())
    open_page(page, cockpit, daemon, getattr(scenes, scene))
    page.sees("handed over and returned")
    page.until("document.querySelector('.machine')")
    page.click("summary[data-key^='story-summary']")
    for width, dark in itertools.product((360, 1280), (False, True)):
        page.size(width, 780, dark=dark)
        page.until(f"document.documentElement.matches('.pf-v6-theme-dark') === {str(dark).lower()}")
        assert page.value("document.documentElement.scrollWidth") <= width
        assert page.value(_LOWEST_BUTTON) >= 44
        page.picture(tmp_path / f"{scene}-{width}-{'dark' if dark else 'light'}.png")


_LOWEST_BUTTON = """Math.min(...Array.from(
    document.querySelectorAll("button"), button => button.getBoundingClientRect().height))"""
