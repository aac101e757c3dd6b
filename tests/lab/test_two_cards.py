"""A PC with two cards: one shows the host's desktop, the other is the guest's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import byhand, checks
from .conftest import Labs
from .emulator import pixels
from .emulator.machine import Lab
from .guest import Guest
from .scene import configure, define, desktop, start, stop, wait_for_return

pytestmark = pytest.mark.long
SECOND = "0000:03:00.0"
PORT = "pcie-root-port,id=port3,chassis=3,slot=3,addr=07.0"
CARD = "bochs-display,id=second,bus=port3,addr=00.0"
# Without it Xorg opens every card there is (xorg.conf(5), AutoAddGPU).
ALONE = 'Section "ServerFlags"\n  Option "AutoAddGPU" "false"\nEndSection\n'
XORG = "/etc/X11/xorg.conf.d/10-alone.conf"


@pytest.fixture
def lab(fresh_lab: Labs) -> Iterator[Lab]:
    """The second card is configured for the guest, and is the host's again after the test."""
    found = fresh_lab(extra=("-device", PORT, "-device", CARD))
    configure(found, [SECOND])
    define(found, Guest(does="stay", hostdevs=[SECOND]))
    assert byhand.drivers(found, [SECOND]) == {SECOND: "bochs-drm"}
    yield found
    wait_for_return(found)
    assert byhand.drivers(found, [SECOND]) == {SECOND: "bochs-drm"}
    assert checks.faults(found) == []


def guest_on_second(lab: Lab) -> bool:
    """Whether the guest has painted the screen of its own card."""
    return pixels.classify(lab.monitor.screenshot("second")) is pixels.Screen.GUEST


def opened_by_xorg(lab: Lab) -> bool:
    """Whether Xorg has the second card open."""
    node = f"/dev/dri/by-path/pci-{SECOND}-card"
    return "Xorg" in lab.run("fuser", "-v", node, check=False).stderr


def test_a_desktop_that_does_not_use_the_guests_card_stays(lab: Lab) -> None:
    lab.put(ALONE, XORG)
    lab.run("systemctl", "restart", "lightdm", timeout=120)
    lab.wait_until("the greeter", lab.greeter_shown, timeout=120)
    assert not opened_by_xorg(lab)
    before = desktop(lab)
    lab.sh("echo 'sessions: refuse' >> /etc/vfiod/vfiod.yaml")
    assert start(lab) == (0, "")
    lab.wait_until("the guest's colour", lambda: guest_on_second(lab), timeout=120)
    assert lab.greeter_shown()
    stop(lab)
    wait_for_return(lab)
    assert desktop(lab) == before
    assert lab.greeter_shown()


def test_a_desktop_that_has_the_guests_card_open_is_started_again_at_once(lab: Lab) -> None:
    assert opened_by_xorg(lab)
    before = desktop(lab)
    assert start(lab) == (0, "")
    lab.wait_until("the guest's colour", lambda: guest_on_second(lab), timeout=120)
    lab.wait_until("the greeter beside it", lab.greeter_shown, timeout=120)
    assert desktop(lab) != before
    stop(lab)
    wait_for_return(lab)
    assert lab.greeter_shown()
