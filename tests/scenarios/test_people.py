"""What a person may do while the screen is the guest's, and before the first guest of all."""

from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import KILLS, Fault
from tests.fakes.rig import Bench, is_killed
from vfiod.errors import Busy, ConfigError, HostError, Refused
from vfiod.events import Kind
from vfiod.model import Phase


@pytest.fixture
def bench(run_directory: Path) -> Bench:
    return Bench(pcs.desktop(), run_directory)


# The power button


def test_the_power_button_shuts_the_guest_down_and_a_second_press_stops_it(bench: Bench) -> None:
    bench.start()
    for _ in range(2):
        assert bench.watcher.press()
        bench.pass_time(2)
    assert bench.host.guests.asked == [60.0, 0.0]


@pytest.mark.parametrize("seconds", [0, 0.001, 1.9])
def test_a_press_that_is_reported_twice_is_one(bench: Bench, seconds: float) -> None:
    bench.start()
    for _ in range(2):
        assert bench.watcher.press()
        bench.pass_time(seconds)
    assert bench.host.guests.asked == [60.0]


def test_the_time_to_shut_down_is_configured(run_directory: Path) -> None:
    bench = Bench(pcs.desktop(), run_directory, "limits: {shutdown: 7}\n" + pcs.configuration())
    bench.start()
    bench.watcher.press()
    bench.queue.run_all()
    assert bench.host.guests.asked == [7.0]


def test_a_configuration_that_is_broken_by_now_does_not_disable_the_button(bench: Bench) -> None:
    bench.start()
    bench.text = "}"
    bench.watcher.press()
    bench.queue.run_all()
    assert bench.host.guests.asked == [60.0]


def test_nobody_listens_while_the_host_has_the_screen(bench: Bench) -> None:
    assert not bench.watcher.press()
    pid = bench.start()
    bench.end_guest(pid)
    assert not bench.watcher.press()


def test_a_press_during_the_return_does_nothing(bench: Bench) -> None:
    bench.start()
    bench.manager.release("win10", "shutdown")
    bench.watcher.press()
    bench.queue.run_all()
    assert bench.host.guests.asked == []


def test_an_adopted_guest_ends_at_the_button_too(bench: Bench) -> None:
    bench.start()
    assert bench.recover() is None
    assert bench.watcher.press()


# libvirt


def test_libvirt_is_woken_up_when_it_did_not_see_the_guest_end(bench: Bench) -> None:
    pid = bench.start()
    bench.host.libvirt.runs = False
    bench.host.user.kill(pid)
    bench.watcher.look()
    bench.queue.run_all()
    assert bench.host.libvirt.runs
    assert bench.differences() == {}


def test_it_is_woken_up_even_if_the_return_gets_stuck(bench: Bench) -> None:
    pid = bench.start()
    bench.host.libvirt.runs = False
    bench.host.kernel.devices[pcs.VGA].cure = "nothing"
    bench.host.user.kill(pid)
    bench.watcher.look()
    bench.queue.run_all()
    assert bench.phase is Phase.STUCK
    assert bench.host.libvirt.runs


# Rehearsal


def test_a_rehearsal_goes_there_and_back(bench: Bench) -> None:
    assert bench.rehearse() is None
    assert bench.phase is Phase.HOST
    assert bench.differences() == {}
    assert "unbind 0000:01:00.0" in bench.host.effects.log
    assert len(bench.messages(Kind.RETURN_COMPLETE)) == 1


def test_a_rehearsal_that_keeps_the_desktop_does_not_touch_it(bench: Bench) -> None:
    units = [unit.runs for unit in bench.host.user.units.values()]
    assert bench.rehearse(keep_desktop=True) is None
    assert [unit.runs for unit in bench.host.user.units.values()] == units
    assert bench.differences() == {}
    assert "unbind 0000:01:00.0" not in bench.host.effects.log


def test_without_holders_it_moves_all_but_the_display(run_directory: Path) -> None:
    bench = Bench(pcs.text_console(), run_directory)
    assert bench.rehearse(keep_desktop=True) is None
    unbound = {name for name in bench.host.effects.log if name.startswith("unbind")}
    assert unbound == {"unbind 0000:01:00.1", "unbind 0000:02:00.0"}


def test_a_rehearsal_is_refused_as_a_start_would_be(bench: Bench) -> None:
    bench.host.user.shutting_down = True
    assert isinstance(bench.rehearse(), Refused)
    assert bench.host.effects.log == []


def test_a_rehearsal_beside_a_guest_is_refused(bench: Bench) -> None:
    bench.start()
    assert isinstance(bench.rehearse(), Busy)
    assert bench.phase is Phase.GUEST


def test_a_rehearsal_of_a_guest_that_is_not_configured_is_refused(run_directory: Path) -> None:
    bench = Bench(pcs.desktop(), run_directory, "")
    assert isinstance(bench.rehearse(), ConfigError)


@pytest.mark.parametrize("keep_desktop", [False, True])
def test_a_rehearsal_that_goes_wrong_anywhere_gives_everything_back(
    keep_desktop: bool,  # noqa: FBT001
    run_directory: Path,
    counts: dict[str, int],
) -> None:
    first = Bench(pcs.desktop(), run_directory)
    assert first.rehearse(keep_desktop=keep_desktop) is None
    for number, name in enumerate(first.host.effects.log, 1):
        for fault in (Fault.FAIL_BEFORE, *KILLS):
            bench = Bench(pcs.desktop(), run_directory)
            bench.host.effects.plan({number: fault})
            error = bench.rehearse(keep_desktop=keep_desktop)
            what = f"{name} ({number}) {fault.value}"
            assert isinstance(error, HostError | None) or is_killed(error) or error, what
            bench.host.effects.plan({})
            if bench.host.effects.is_dead:
                assert bench.recover() is None, what
            bench.pass_time(120)
            if bench.phase is not Phase.HOST:
                assert bench.return_devices() is None, what
            assert bench.differences() == {}, what
            counts["rehearsal"] = counts.get("rehearsal", 0) + 1
