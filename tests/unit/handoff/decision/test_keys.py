"""Keys that end the guest are not heard from a keyboard that its QEMU has for itself."""

import pytest

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from vfiod.config.schema import parse
from vfiod.guest import domain
from vfiod.handoff.decision import plan, snapshot
from vfiod.handoff.decision.request import Request

KEYBOARD, OTHER = "/dev/input/by-id/usb-Logitech-event-kbd", "/dev/input/event7"
EVDEV = f"<input type='evdev'><source dev='{KEYBOARD}' grab='all'/></input>"
PASSTHROUGH = f"<input type='passthrough'><source evdev='{KEYBOARD}'/></input>"
ESCAPE = "escape_keys: [KEY_LEFTCTRL, KEY_END]\n"


def remarks(host: FakeHost, inside: str, more: str = ESCAPE) -> list[str]:
    config = parse(pcs.configuration(more=more))
    wanted = domain.parse(pcs.xml().replace("</devices>", f"{inside}</devices>"))
    guest = config.guests["win10"]
    state = snapshot.read(host, config, guest, wanted)
    return list(plan.plan_handoff(Request(config, guest, wanted, state)).remarks)


@pytest.fixture
def host() -> FakeHost:
    host = pcs.greeter()
    host.inputs.keys = {KEYBOARD: {"KEY_LEFTCTRL", "KEY_END", "KEY_A"}}
    return host


def test_the_only_keyboard_is_the_guest_s(host: FakeHost) -> None:
    (remark,) = remarks(host, EVDEV)
    assert remark == (
        "hearing escape_keys: the guest has every keyboard with KEY_LEFTCTRL, KEY_END "
        f"({KEYBOARD}) for itself from its start on: have QEMU let go of it first, usually by both "
        "Ctrl keys at once; if QEMU hangs, only the power button helps"
    )


def test_one_that_is_only_listened_to_by_qemu(host: FakeHost) -> None:
    """Which grabs nothing there (qemu: hw/input/virtio-input-host.c)."""
    assert remarks(host, PASSTHROUGH) == []


@pytest.mark.parametrize("more", ["", "escape_keys: []\n", "escape_keys: [KEY_F13]\n"])
def test_keys_that_nobody_waits_for_or_has(host: FakeHost, more: str) -> None:
    assert remarks(host, EVDEV, more) == []


def test_a_keyboard_that_stays(host: FakeHost) -> None:
    host.inputs.keys[OTHER] = {"KEY_LEFTCTRL", "KEY_END"}
    assert remarks(host, EVDEV) == []
    host.inputs.keys[OTHER] = {"KEY_LEFTCTRL"}
    assert len(remarks(host, EVDEV)) == 1


def test_a_guest_without_a_keyboard_of_the_host_s(host: FakeHost) -> None:
    assert remarks(host, "") == []
