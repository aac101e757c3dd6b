"""What a person reads when something could not be given back."""

from typing import Any

import pytest

from tests.fakes import pcs
from vfiod.errors import Awaited, CutOff, HostError, KernelStuck, NotThere, Stuck
from vfiod.handoff.journal import ALONE, Entry
from vfiod.handoff.recovery.forbidden import LeftOut
from vfiod.handoff.recovery.outlook import Outlook, taken_up
from vfiod.handoff.recovery.recover import Fault, Tried
from vfiod.handoff.recovery.stuck import broken_off, describe
from vfiod.handoff.steps.devices import Detach
from vfiod.handoff.steps.displaymanager import StopDisplayManager
from vfiod.handoff.steps.screen import AwaitDisplay

SCREEN = AwaitDisplay(pcs.VGA, 20.0)
SOUND = Detach(pcs.AUDIO, 20.0)
LATE = KernelStuck("the kernel did not finish", "reboot the host", pids=(9,))
NONE = HostError("it has no driver", "the kernel's reason is in: journalctl -k -b")


NOBODY = Outlook()
WAITS = Outlook(waits=True)


def fault(step: Any, error: Exception) -> Fault:
    return Fault(
        Entry(step, {}, ALONE), error, f"could not {step.describe_undo()}: {error.args[0]}"
    )


def test_what_is_dark_comes_first_and_the_reboot_last() -> None:
    stuck = describe(
        [fault(SOUND, NONE), fault(SCREEN, NONE)], Tried(["probe it again", "reset it"]), NOBODY
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
    stuck = describe([fault(SOUND, LATE)], Tried(), WAITS)
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
    first, *_, wait, again, _ = str(describe([fault(manager, late)], Tried(), WAITS)).splitlines()
    assert first == "there is no login screen: sddm.service shows none"
    assert (wait.split()[0], again.split()[0]) == ("2.", "3.")


@pytest.mark.parametrize("tried", [[], ["reset it"]])
def test_there_is_one_way_to_try_again(tried: list[str]) -> None:
    text = str(describe([fault(SOUND, NONE)], Tried(tried), NOBODY))
    assert text.count("vfiod return") == 1


def test_an_error_of_vfiod_s_own_has_no_advice() -> None:
    stuck = describe([fault(SOUND, ZeroDivisionError("oh"))], Tried(), NOBODY)
    assert isinstance(stuck, Stuck)
    assert stuck.hint.startswith("1. have it tried again")


def test_what_was_left_out_is_told_once_for_each_reason() -> None:
    held = LeftOut("it is still held by kwin (pid 7)", "end what holds it: kwin (pid 7)")
    left_out = {"probe it": held, "reset it": held, "reset its bus": LeftOut("a disk is on it")}
    lines = str(describe([fault(SCREEN, NONE)], Tried([], left_out), NOBODY)).splitlines()
    assert lines[2:4] == [
        "not tried: probe it, reset it: it is still held by kwin (pid 7)",
        "not tried: reset its bus: a disk is on it",
    ]
    assert lines[6] == "    1. end what holds it: kwin (pid 7)"
    assert any("vfiod return --force" in line for line in lines)


def test_what_is_dark_is_named_once() -> None:
    lines = str(describe([fault(SCREEN, NONE), fault(SCREEN, NONE)], Tried(), NOBODY)).splitlines()
    assert lines[0].count(str(pcs.VGA)) == 1
    assert len(lines) == len(set(lines))


def test_what_was_broken_off_says_why_and_what_to_do() -> None:
    stuck = broken_off(HostError("cannot read the journal", "reboot the host"), NOBODY)
    assert str(stuck).splitlines() == [
        "giving the host its display and devices back was broken off: cannot read the journal",
        "vfiod does not go on by itself",
        "a reboot brings all of it back: nothing that vfiod changes outlives one",
        "    1. reboot the host",
        "    2. have it tried again: sudo vfiod return",
        "    3. if nothing of that helps, reboot: sudo systemctl reboot",
    ]
    assert "KeyError('driver')" in str(broken_off(KeyError("driver"), NOBODY))


# What vfiod does by itself


def lines_of(error: Exception, outlook: Outlook, *, step: Any = SCREEN) -> list[str]:
    return str(describe([fault(step, error)], Tried(), outlook)).splitlines()


def test_when_it_was_tried_often_enough_nothing_goes_on_by_itself() -> None:
    lines = lines_of(LATE, Outlook(waits=True, is_spent=True))
    assert lines[2:] == [
        "vfiod does not go on by itself any more: it was tried again 5 times, as often as "
        "something that was late had ended",
        "a reboot brings all of it back: nothing that vfiod changes outlives one",
        "    1. once what is late has ended, have it tried again: sudo vfiod return",
        "    2. if nothing of that helps, reboot: sudo systemctl reboot",
    ]


def test_a_daemon_that_is_started_anew_takes_the_word_back() -> None:
    spent = "\n".join(lines_of(LATE, Outlook(waits=True, is_spent=True)))
    nobody = "\n".join(lines_of(LATE, NOBODY))
    for text in map(taken_up, (spent, nobody)):
        assert "vfiod waits for what is late, and goes on by itself as soon as it ends" in text
        assert "does not go on" not in text
        assert "have it tried again: sudo vfiod return" in text
        assert "once what is late" not in text
    first = "\n".join(lines_of(LATE, WAITS))
    assert taken_up(first) == first


def test_a_reboot_to_come_is_told_with_when_and_how_to_keep_it_away() -> None:
    lines = lines_of(LATE, Outlook(waits=True, reboots_after=600.0))
    assert lines[2:7] == [
        "vfiod waits for what is late, and goes on by itself as soon as it ends",
        "if that is not over 10 minutes after it got stuck, the host is rebooted, as "
        "on_stuck: reboot says",
        "a reboot brings all of it back: nothing that vfiod changes outlives one",
        "    1. give it some minutes; whether it is over: vfiod status",
        "    2. keep the host from being rebooted, until vfiod runs again: "
        "sudo systemctl stop vfiod",
    ]


def test_a_reboot_that_comes_at_once_is_told() -> None:
    text = "\n".join(lines_of(NONE, Outlook(reboots_after=0.0)))
    assert "the host is rebooted now, as on_stuck: reboot says" in text
    assert "go on by itself" not in text
    assert "systemctl stop" not in text


def test_what_is_left_to_the_next_daemon_is_told_as_that() -> None:
    text = "\n".join(lines_of(CutOff("the bus is gone"), WAITS))
    assert "goes on by itself then" in text
    assert "waits for what is late" not in text


# What a reboot does


def test_a_login_screen_that_fails_may_fail_after_a_reboot() -> None:
    manager = StopDisplayManager("sddm.service", (), 20.0)
    failed = HostError("StartUnit sddm.service ended as failed", "see: systemctl status sddm")
    lines = lines_of(failed, NOBODY, step=manager)
    assert lines[2:] == [
        "vfiod does not go on by itself",
        "a reboot starts sddm.service only if it was the handoff that kept it down",
        "    1. see: systemctl status sddm",
        "    2. why it does not start: sudo journalctl -b -u sddm.service",
        "    3. have it tried again: sudo vfiod return",
        "    4. if nothing of that helps, reboot: sudo systemctl reboot",
    ]
    both = describe([fault(SOUND, NONE), fault(manager, failed)], Tried(), NOBODY)
    assert "a reboot brings the rest back: nothing that vfiod changes outlives one" in str(both)


def test_a_device_that_is_gone_may_stay_so_after_a_reboot() -> None:
    lines = lines_of(NotThere("the device 0000:01:00.0 is not there"), NOBODY)
    assert lines[3] == "a reboot alone may not bring back what is not there: 0000:01:00.0"
    assert lines[-1] == (
        "    3. if 0000:01:00.0 is not there then either, power the PC off, and see that it is "
        "plugged in"
    )
    assert "brings" not in "\n".join(lines)


def test_the_login_screen_comes_with_the_display_that_it_waits_for() -> None:
    manager = StopDisplayManager("sddm.service", (pcs.VGA,), 20.0)
    faults = [fault(SCREEN, NONE), fault(manager, HostError("not started"))]
    text = str(describe(faults, Tried(), NOBODY))
    assert "a reboot brings all of it back" in text
    assert "journalctl -b -u" not in text


def test_force_in_vain_is_not_advised_again() -> None:
    tried, forced = Tried(["reset it"]), Outlook(was_forced=True)
    assert "--force" not in str(describe([fault(SCREEN, NONE)], tried, forced))
    held = Tried(["reset it"], {"probe it": LeftOut("it is held", "end what holds it")})
    assert "--force" in str(describe([fault(SCREEN, NONE)], held, forced))
