"""A return beside libvirt's own clean-up, which resets what is not with vfio-pci."""

from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.rig import Bench
from vfiod.events import Kind
from vfiod.handoff.aftercare import SETTLE_SECONDS
from vfiod.model import Phase


@pytest.fixture
def bench(run_directory: Path) -> Bench:
    return Bench(pcs.greeter(), run_directory)


def lose_guest(bench: Bench) -> None:
    """QEMU ends, and vfiod hears of it before libvirt does."""
    pid = bench.start()
    bench.host.user.kill(pid)
    bench.watcher.look()
    bench.queue.run_all()


def test_the_end_of_qemu_touches_no_device_before_libvirt_is_done(bench: Bench) -> None:
    lose_guest(bench)
    assert bench.host.libvirt.guests == {}
    assert bench.phase is Phase.HOST
    assert bench.differences() == {}


def test_a_libvirt_that_is_down_is_started_before_a_device_is_touched(bench: Bench) -> None:
    bench.host.libvirt.runs = False
    lose_guest(bench)
    log = bench.host.effects.log
    assert log.index("wake libvirt") < log.index(f"override {pcs.USB} xhci_hcd")
    assert bench.differences() == {}


def test_a_daemon_restarted_after_the_guest_ended_waits_too(bench: Bench) -> None:
    pid = bench.start()
    bench.host.user.kill(pid)
    assert bench.recover() is None
    assert bench.phase is Phase.HOST
    assert bench.differences() == {}


def test_what_touches_no_device_is_undone_meanwhile(run_directory: Path) -> None:
    host = pcs.tuned()
    bench = Bench(host, run_directory)
    lose_guest(bench)
    log = host.effects.log
    slices = max(i for i, name in enumerate(log) if "system.slice" in name)
    assert slices < log.index(f"override {pcs.USB} xhci_hcd")
    assert bench.differences() == {}


def test_a_libvirt_that_stays_away_is_told_and_does_not_hold_the_display(bench: Bench) -> None:
    bench.host.libvirt.hangs = True
    lose_guest(bench)
    assert bench.phase is Phase.HOST
    assert "going on without it" in bench.messages(Kind.REMARK)[-1]
    assert bench.host.units.unit("lightdm.service").active


def test_a_card_that_a_late_libvirt_wipes_is_taken_back_once_more(bench: Bench) -> None:
    bench.host.libvirt.hangs = True
    lose_guest(bench)
    bench.pass_time(60)
    bench.host.libvirt.wake()
    bench.pass_time(60)
    assert bench.host.libvirt.guests == {}
    assert f"no answer any more from {pcs.USB}: it has" in bench.messages(Kind.STEP_FAILED)[0]
    assert bench.phase is Phase.HOST
    assert bench.differences() == {}


def test_a_card_wiped_by_somebody_else_right_after_the_return_is_seen(bench: Bench) -> None:
    lose_guest(bench)
    bench.host.kernel.reset_bus(pcs.VGA)
    bench.pass_time(SETTLE_SECONDS)
    assert bench.phase is Phase.HOST
    assert bench.differences() == {}


def test_a_wiped_card_that_cannot_be_revived_is_stuck_and_named(bench: Bench) -> None:
    lose_guest(bench)
    bench.host.kernel.reset_bus(pcs.VGA)
    bench.host.kernel.devices[pcs.VGA].cure = "nothing"
    bench.pass_time(SETTLE_SECONDS)
    assert bench.phase is Phase.STUCK
    assert str(pcs.VGA) in bench.status.read()["faults"][0]


def test_a_card_that_is_well_is_left_alone(bench: Bench) -> None:
    lose_guest(bench)
    log = len(bench.host.effects.log)
    bench.pass_time(60)
    assert bench.host.effects.log[log:] == []


def test_a_guest_started_meanwhile_is_not_looked_after(bench: Bench) -> None:
    lose_guest(bench)
    bench.start()
    log = len(bench.host.effects.log)
    bench.pass_time(SETTLE_SECONDS)
    assert bench.host.effects.log[log:] == []
    assert bench.phase is Phase.GUEST


# A screen that is not seen


def test_screens_that_are_not_seen_are_asked_for(bench: Bench) -> None:
    device = bench.host.kernel.devices[pcs.VGA]
    pid = bench.start()
    device.monitor, device.wakes_on_detect = False, True
    bench.end_guest(pid)
    assert device.monitor
    assert "had to be asked again" in bench.messages(Kind.REMARK)[-1]
    runs = bench.host.user.units["lightdm.service"].runs
    bench.pass_time(60)
    assert bench.host.user.units["lightdm.service"].runs == runs


def test_the_display_manager_is_started_anew_once_where_no_screen_is_seen(bench: Bench) -> None:
    pid = bench.start()
    bench.host.kernel.devices[pcs.VGA].monitor = False
    bench.end_guest(pid)
    runs = bench.host.user.units["lightdm.service"].runs
    bench.pass_time(60)
    assert bench.host.user.units["lightdm.service"].runs == runs + 1
    bench.pass_time(600)
    assert bench.host.user.units["lightdm.service"].runs == runs + 1
    assert "sees no screen where one was before" in bench.messages(Kind.REMARK)[-1]
    bench.host.kernel.devices[pcs.VGA].monitor = True
    assert bench.differences() == {}
