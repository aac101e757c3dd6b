"""What a person reads when something could not be given back."""

from typing import Any

import pytest

from tests.fakes import pcs
from vfiod.errors import Awaited, HostError, KernelStuck, Stuck
from vfiod.handoff.journal import ALONE, Entry
from vfiod.handoff.recovery import Fault, Tried
from vfiod.handoff.remedies import LeftOut
from vfiod.handoff.steps.desktop import StopDisplayManager
from vfiod.handoff.steps.devices import Detach
from vfiod.handoff.steps.screen import AwaitDisplay
from vfiod.handoff.stuck import broken_off, describe

SCREEN = AwaitDisplay(pcs.VGA, 20.0)
SOUND = Detach(pcs.AUDIO, 20.0)
LATE = KernelStuck("the kernel did not finish", "reboot the host", pids=(9,))
NONE = HostError("it has no driver", "the kernel's reason is in: journalctl -k -b")


def fault(step: Any, error: Exception) -> Fault:
    return Fault(
        Entry(step, {}, ALONE), error, f"could not {step.describe_undo()}: {error.args[0]}"
    )


def test_what_is_dark_comes_first_and_the_reboot_last() -> None:
    stuck = describe(
        [fault(SOUND, NONE), fault(SCREEN, NONE)], Tried(["probe it again", "reset it"])
    )
    assert str(stuck).splitlines() == [
        "the screen of 0000:01:00.0 is dark: the host does not have it back",
        "could not give 0000:01:00.1 back to its driver: it has no driver",
        "could not wait for the display 0000:01:00.0: it has no driver",
        "tried in vain: probe it again, reset it",
        "vfiod does not go on by itself",
        "a reboot brings all of it back: nothing that vfiod changes outlives one",
        "    1. the kernel's reason is in: journalctl -k -b",
        "    2. have it tried again, with all resets: sudo vfiod return --force",
        "    3. if nothing of that helps, reboot: sudo systemctl reboot",
    ]
    assert stuck.display_lost


def test_what_is_late_is_waited_for_before_anything_else() -> None:
    """Its own advice is to reboot, which would contradict that."""
    stuck = describe([fault(SOUND, LATE)], Tried())
    assert str(stuck).splitlines() == [
        "the host has its display, but not all of its devices and settings",
        "could not give 0000:01:00.1 back to its driver: the kernel did not finish",
        "vfiod waits for what is late, and goes on by itself as soon as it ends",
        "a reboot brings all of it back: nothing that vfiod changes outlives one",
        "    1. give it some minutes; whether it is over: vfiod status",
        "    2. have it tried again: sudo vfiod return",
        "    3. if nothing of that helps, reboot: sudo systemctl reboot",
    ]
    assert (stuck.display_lost, stuck.pids) == (False, frozenset({9}))


def test_a_missing_login_screen_is_named() -> None:
    manager = StopDisplayManager("sddm.service", (), 20.0)
    late = Awaited("it did not start", "see: systemctl status sddm.service", units=["sddm.service"])
    first, *_, wait, again, _ = str(describe([fault(manager, late)], Tried())).splitlines()
    assert first == "there is no login screen: sddm.service has not started again"
    assert (wait.split()[0], again.split()[0]) == ("2.", "3.")


@pytest.mark.parametrize("tried", [[], ["reset it"]])
def test_there_is_one_way_to_try_again(tried: list[str]) -> None:
    text = str(describe([fault(SOUND, NONE)], Tried(tried)))
    assert text.count("vfiod return") == 1


def test_an_error_of_vfiod_s_own_has_no_advice() -> None:
    stuck = describe([fault(SOUND, ZeroDivisionError("oh"))], Tried())
    assert isinstance(stuck, Stuck)
    assert stuck.hint.startswith("1. have it tried again")


def test_what_was_left_out_is_told_once_for_each_reason() -> None:
    held = LeftOut("it is still held by kwin (pid 7)", "end what holds it: kwin (pid 7)")
    left_out = {"probe it": held, "reset it": held, "reset its bus": LeftOut("a disk is on it")}
    lines = str(describe([fault(SCREEN, NONE)], Tried([], left_out))).splitlines()
    assert lines[2:4] == [
        "not tried: probe it, reset it: it is still held by kwin (pid 7)",
        "not tried: reset its bus: a disk is on it",
    ]
    assert lines[6] == "    1. end what holds it: kwin (pid 7)"
    assert any("vfiod return --force" in line for line in lines)


def test_what_is_dark_is_named_once() -> None:
    lines = str(describe([fault(SCREEN, NONE), fault(SCREEN, NONE)], Tried())).splitlines()
    assert lines[0].count(str(pcs.VGA)) == 1
    assert len(lines) == len(set(lines))


def test_what_was_broken_off_says_why_and_what_to_do() -> None:
    stuck = broken_off(HostError("cannot read the journal", "reboot the host"))
    assert str(stuck).splitlines() == [
        "giving the host its display and devices back was broken off: cannot read the journal",
        "vfiod does not go on by itself",
        "a reboot brings all of it back: nothing that vfiod changes outlives one",
        "    1. reboot the host",
        "    2. have it tried again: sudo vfiod return",
        "    3. if nothing of that helps, reboot: sudo systemctl reboot",
    ]
    assert "KeyError('driver')" in str(broken_off(KeyError("driver")))
