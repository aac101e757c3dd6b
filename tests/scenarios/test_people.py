"""What a person may do while the screen is the guest's, and before the first guest of all."""

from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import KILLS, Fault
from tests.fakes.libvirt import UUID
from tests.fakes.rig import Rig, is_killed
from tests.fakes.userspace import Program
from tests.scenarios.test_late import spoil
from vfiod.errors import Busy, HostError, Refused, UnknownGuest
from vfiod.events import Kind
from vfiod.model import Phase

# The power button


def test_the_power_button_shuts_the_guest_down_and_a_second_press_stops_it(rig: Rig) -> None:
    rig.start()
    for _ in range(2):
        assert rig.watcher.press()
        rig.pass_time(2)
    assert rig.host.guests.asked == [60.0, 0.0]


def test_a_second_press_stops_it_also_if_nothing_came_of_the_first(rig: Rig) -> None:
    """What asks the guest may fail after a while, and is gone by then."""
    rig.start()
    rig.watcher.press()
    rig.pass_time(31)
    rig.host.guests.gave_up = True
    rig.watcher.press()
    rig.queue.run_all()
    assert rig.host.guests.asked == [60.0, 0.0]


def test_the_next_guest_has_a_first_press_of_its_own(rig: Rig) -> None:
    for _ in range(2):
        pid = rig.start()
        rig.watcher.press()
        rig.pass_time(31)
        rig.end_guest(pid)
        rig.host.guests.gave_up = True
    assert rig.host.guests.asked == [60.0, 60.0]


def test_a_second_press_stops_it_also_after_a_restart_of_the_daemon(rig: Rig) -> None:
    rig.start()
    rig.watcher.press()
    rig.pass_time(2)
    assert rig.recover() is None
    rig.watcher.press()
    rig.queue.run_all()
    assert rig.host.guests.asked == [60.0, 0.0]


@pytest.mark.parametrize("seconds", [0, 0.001, 1.9])
def test_a_press_that_is_reported_twice_is_one(rig: Rig, seconds: float) -> None:
    rig.start()
    for _ in range(2):
        assert rig.watcher.press()
        rig.pass_time(seconds)
    assert rig.host.guests.asked == [60.0]


def test_the_time_to_shut_down_is_configured(run_directory: Path) -> None:
    rig = Rig(pcs.desktop(), run_directory, "limits: {shutdown: 7}\n" + pcs.configuration())
    rig.start()
    rig.watcher.press()
    rig.queue.run_all()
    assert rig.host.guests.asked == [7.0]


def test_a_configuration_that_is_broken_by_now_does_not_disable_the_button(rig: Rig) -> None:
    rig.start()
    rig.text = "}"
    rig.watcher.press()
    rig.queue.run_all()
    assert rig.host.guests.asked == [60.0]


def test_nobody_listens_while_the_host_has_the_screen(rig: Rig) -> None:
    assert not rig.watcher.press()


def test_a_late_word_of_an_earlier_guest_leaves_the_next_one_its_button(rig: Rig) -> None:
    first = rig.start()
    rig.end_guest(first)
    second = rig.start()
    rig.pass_time(1)  # only now the loop tells of the first one's QEMU
    assert rig.watcher.press()
    rig.queue.run_all()
    assert rig.host.guests.is_shutting_down()
    rig.end_guest(second)
    assert not rig.watcher.press()
    assert rig.differences() == {}
    pid = rig.start()
    rig.end_guest(pid)
    assert not rig.watcher.press()


def test_a_press_during_the_return_does_nothing(rig: Rig) -> None:
    rig.start()
    rig.host.libvirt.give_up()
    rig.manager.release("win10", "shutdown")
    rig.watcher.press()
    rig.queue.run_all()
    assert rig.host.guests.asked == []


def test_an_adopted_guest_ends_at_the_button_too(rig: Rig) -> None:
    rig.start()
    assert rig.recover() is None
    assert rig.watcher.press()


# libvirt


def test_libvirt_is_woken_up_when_it_did_not_see_the_guest_end(rig: Rig) -> None:
    pid = rig.start()
    rig.host.libvirt.runs = False
    rig.host.user.kill(pid)
    rig.watcher.look()
    rig.queue.run_all()
    assert rig.host.libvirt.runs
    assert rig.differences() == {}


def test_it_is_woken_up_even_if_the_return_gets_stuck(rig: Rig) -> None:
    pid = rig.start()
    rig.host.libvirt.runs = False
    rig.host.kernel.devices[pcs.VGA].cure = "nothing"
    rig.host.user.kill(pid)
    rig.watcher.look()
    rig.queue.run_all()
    assert rig.phase is Phase.STUCK
    assert rig.host.libvirt.runs


# Rehearsal


def test_a_rehearsal_goes_there_and_back(rig: Rig) -> None:
    assert rig.rehearse() is None
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}
    assert "unbind 0000:01:00.0" in rig.host.effects.log
    assert len(rig.messages(Kind.RETURN_COMPLETE)) == 1


def test_a_rehearsal_that_keeps_the_desktop_does_not_touch_it(rig: Rig) -> None:
    units = [unit.runs for unit in rig.host.user.units.values()]
    assert rig.rehearse(keep_desktop=True) is None
    assert [unit.runs for unit in rig.host.user.units.values()] == units
    assert rig.differences() == {}
    assert "unbind 0000:01:00.0" not in rig.host.effects.log


def test_without_holders_it_moves_all_but_the_display(run_directory: Path) -> None:
    rig = Rig(pcs.text_console(), run_directory)
    assert rig.rehearse(keep_desktop=True) is None
    unbound = {name for name in rig.host.effects.log if name.startswith("unbind")}
    assert unbound == {"unbind 0000:01:00.1", "unbind 0000:02:00.0"}


def test_a_rehearsal_is_refused_as_a_start_would_be(rig: Rig) -> None:
    rig.host.user.shutting_down = True
    assert isinstance(rig.rehearse(), Refused)
    assert rig.host.effects.log == []


def test_a_rehearsal_beside_a_guest_is_refused(rig: Rig) -> None:
    rig.start()
    assert isinstance(rig.rehearse(), Busy)
    assert rig.phase is Phase.GUEST


def run_without_devices(rig: Rig) -> None:
    """As before it was given any: libvirt and systemd have it."""
    process = rig.host.user.spawn(Program("qemu"), "machine-qemu-1-win10.scope")
    rig.host.libvirt.began(UUID, process.pid, ())


@pytest.mark.parametrize("keep_desktop", [False, True])
def test_a_rehearsal_does_not_wait_for_a_guest_that_runs_without_its_devices(
    *, rig: Rig, keep_desktop: bool
) -> None:
    run_without_devices(rig)
    began = rig.host.now()
    assert rig.rehearse(keep_desktop=keep_desktop) is None
    assert rig.host.now() - began < 5
    assert not [text for text in rig.messages(Kind.REMARK) if "libvirt" in text]
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_a_rehearsal_that_is_killed_is_not_taken_for_that_guest(rig: Rig) -> None:
    """Nor is the display left to it for as long as it runs."""
    run_without_devices(rig)
    spoil(rig, "journal update", Fault.KILL_AFTER)
    assert is_killed(rig.rehearse())
    assert rig.status.read()["phase"] == "prepared"
    rig.recover()
    rig.pass_time(120)
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_a_rehearsal_of_a_guest_that_is_not_configured_is_refused(run_directory: Path) -> None:
    rig = Rig(pcs.desktop(), run_directory, "")
    assert isinstance(rig.rehearse(), UnknownGuest)


@pytest.mark.parametrize("keep_desktop", [False, True])
def test_a_rehearsal_that_goes_wrong_anywhere_gives_everything_back(
    keep_desktop: bool,  # noqa: FBT001
    run_directory: Path,
    counts: dict[str, int],
) -> None:
    first = Rig(pcs.desktop(), run_directory)
    assert first.rehearse(keep_desktop=keep_desktop) is None
    for number, name in enumerate(first.host.effects.log, 1):
        for fault in (Fault.FAIL_BEFORE, *KILLS):
            rig = Rig(pcs.desktop(), run_directory)
            rig.host.effects.plan({number: fault})
            error = rig.rehearse(keep_desktop=keep_desktop)
            what = f"{name} ({number}) {fault.value}"
            assert isinstance(error, HostError | None) or is_killed(error) or error, what
            rig.host.effects.plan({})
            if rig.host.effects.is_dead:
                assert rig.recover() is None, what
            rig.pass_time(120)
            if rig.phase is not Phase.HOST:
                assert rig.return_devices() is None, what
            assert rig.differences() == {}, what
            counts["rehearsal"] = counts.get("rehearsal", 0) + 1
