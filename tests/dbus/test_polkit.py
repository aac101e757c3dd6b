"""What the shipped actions of polkit allow, by polkitd itself: to whom, and to whom not."""

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import pytest

from tests.dbus.bus import MANAGER, NOBODY, ROOT, Daemon, PrivateBus, private_bus
from tests.dbus.polkitd import RealPolkit
from tests.dbus.test_service import RETURN, XML, prepare
from tests.dbus.test_start import (
    ALICE,
    ALL,
    BOB,
    CANCEL,
    KEEP,
    LONG,
    OTHERS,
    PROPOSE,
    SHUTDOWN,
    START,
    pending,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="two users are needed, so root is")

POLICY = ElementTree.parse(ROOT / "config" / "org.vfiod1.policy")
STARTING = ("StartGuest", "string:win10", f"uint32:{LONG}")
CALLS = {
    START: STARTING,
    OTHERS: STARTING,
    CANCEL: ("CancelStart",),
    PROPOSE: ("ProposeSession", "string:gnome:wayland"),
    SHUTDOWN: ("ShutdownGuest", "string:win10", "boolean:true"),
    KEEP: ("Keep", "string:win10", "uint32:60"),
    RETURN: ("Return", "boolean:false"),
    "org.vfiod1.rehearse": ("Rehearse", "string:win10", f"string:{XML}", "boolean:false"),
}


@pytest.fixture(scope="module")
def bus() -> Iterator[PrivateBus]:
    """Nobody else here is polkit."""
    with private_bus() as bus:
        yield bus


@pytest.fixture(scope="module")
def polkitd(bus: PrivateBus) -> Iterator[RealPolkit]:
    """alice sits at the screen, bob is logged in there too, and nobody has no session there."""
    real = RealPolkit(bus)
    real.log_in(ALICE, active=True)
    real.log_in(BOB, active=False)
    yield real
    real.stop()


def arranged(bus: PrivateBus, daemon: Daemon, action: str) -> object:
    """See to it that this right is what the call takes, and that it would do something: traces()
    of the time before.
    """
    daemon.tell("trial 1")
    if action == OTHERS:
        daemon.tell("login")
    if action == CANCEL:
        bus.call(MANAGER, "StartGuest", "su", "other", LONG)
    if action in (KEEP, RETURN):
        prepare(bus)
    return traces(bus, daemon)


def attempt(polkitd: RealPolkit, user: int, action: str) -> str:
    """What is answered: nothing, or an error."""
    method, *values = CALLS[action]
    return polkitd.send(user, f"{MANAGER}.{method}", *values)


def traces(bus: PrivateBus, daemon: Daemon) -> object:
    """All that a call might have changed."""
    return bus.status(), pending(bus), daemon.tell("commands")


def said_by_the_policy(action: str, whom: str) -> str | None:
    return POLICY.findtext(f"action[@id='{action}']/defaults/{whom}")


def test_every_action_is_tried() -> None:
    assert set(CALLS) == set(ALL) == {e.get("id") for e in POLICY.iterfind("action")}


@pytest.mark.parametrize("action", ALL)
def test_who_sits_at_the_screen_may_do_what_the_policy_says(
    bus: PrivateBus, daemon: Daemon, polkitd: RealPolkit, action: str
) -> None:
    before = arranged(bus, daemon, action)
    error = attempt(polkitd, ALICE, action)
    if said_by_the_policy(action, "allow_active") == "yes":
        assert error == ""
        assert traces(bus, daemon) != before
    else:
        assert "NotAuthorized: you may not" in error
        assert traces(bus, daemon) == before


def test_only_what_ends_no_work_of_others_needs_no_password() -> None:
    free = [a for a in ALL if said_by_the_policy(a, "allow_active") == "yes"]
    assert free == [START, CANCEL, PROPOSE]


@pytest.mark.parametrize("action", ALL)
def test_everybody_else_may_do_nothing(
    bus: PrivateBus, daemon: Daemon, polkitd: RealPolkit, action: str
) -> None:
    before = arranged(bus, daemon, action)
    for user in (BOB, NOBODY):
        assert "NotAuthorized: you may not" in attempt(polkitd, user, action)
    assert traces(bus, daemon) == before


@pytest.mark.parametrize("action", ALL)
def test_root_may_do_everything(
    bus: PrivateBus, daemon: Daemon, polkitd: RealPolkit, action: str
) -> None:
    before = arranged(bus, daemon, action)
    assert attempt(polkitd, 0, action) == ""
    assert traces(bus, daemon) != before
