"""Ends of guests and of daemons: the host must come out as it was, or say why not."""

from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.rig import Bench, is_killed
from tests.fakes.userspace import Program
from vfiod.errors import Busy, HostError, Refused, Stuck
from vfiod.events import Kind
from vfiod.model import VFIO_DRIVER, Phase

TWO_GUESTS = pcs.configuration() + "  other:\n    devices: [0000:01:00.0, 0000:01:00.1]\n"


@pytest.fixture
def bench(run_directory: Path) -> Bench:
    return Bench(pcs.desktop(), run_directory)


def drivers(bench: Bench) -> list[str | None]:
    return [bench.host.pci.function(address).driver for address in pcs.DEVICES]


def make_stuck(bench: Bench) -> None:
    """A return during which the USB controller's driver does not come back."""
    pid = bench.start()
    bench.host.kernel.drivers["xhci_hcd"].refuses = True
    bench.end_guest(pid)
    assert bench.phase is Phase.STUCK


# Return


def test_everything_comes_back_after_the_guest(bench: Bench) -> None:
    pid = bench.start()
    bench.end_guest(pid)
    assert bench.phase is Phase.HOST
    assert bench.differences() == {}
    assert len(bench.messages(Kind.RETURN_COMPLETE)) == 1


def test_three_rounds_in_one_boot(bench: Bench) -> None:
    for _ in range(3):
        bench.end_guest(bench.start())
        assert bench.differences() == {}


def test_the_card_may_come_back_under_another_number(bench: Bench) -> None:
    pid = bench.start()
    bench.host.user.spawn(Program("forgotten"), nodes=["/dev/dri/card0"])
    bench.end_guest(pid)
    assert bench.host.pci.output(pcs.VGA).cards == ("card1",)
    assert bench.phase is Phase.HOST


def test_a_drm_node_that_comes_late_is_waited_for(bench: Bench) -> None:
    pid = bench.start()
    bench.host.kernel.drivers["amdgpu"].node_after = 7.0
    bench.end_guest(pid)
    assert bench.phase is Phase.HOST
    assert bench.differences() == {}


def test_a_drm_node_that_never_comes_is_stuck_and_says_so(bench: Bench) -> None:
    pid = bench.start()
    bench.host.kernel.drivers["amdgpu"].node_after = None
    bench.end_guest(pid)
    assert bench.phase is Phase.STUCK
    (fault,) = bench.messages(Kind.STUCK)
    assert str(pcs.VGA) in fault
    assert "a reboot brings the display back" in fault
    assert bench.host.pci.function(pcs.AUDIO).driver == "snd_hda_intel"


def test_the_end_of_qemu_is_enough_without_a_release(bench: Bench) -> None:
    pid = bench.start()
    bench.host.user.kill(pid)
    bench.pass_time(1)
    assert bench.phase is Phase.HOST
    assert bench.differences() == {}


def test_release_and_the_end_of_qemu_together_return_once(bench: Bench) -> None:
    pid = bench.start()
    bench.host.user.kill(pid)
    bench.manager.release("win10", "crashed")
    bench.watcher.look()
    bench.queue.run_all()
    assert len(bench.messages(Kind.RETURN_BEGUN)) == 1
    assert bench.differences() == {}


def test_release_answers_before_the_work_and_journals_the_return(bench: Bench) -> None:
    bench.start()
    log = len(bench.host.effects.log)
    bench.manager.release("win10", "shutdown")
    assert bench.host.effects.log[log:] == ["journal update"]
    assert bench.phase is Phase.RETURN


def test_release_twice_returns_once(bench: Bench) -> None:
    pid = bench.start()
    bench.host.user.kill(pid)
    bench.manager.release("win10", "shutdown")
    bench.manager.release("win10", "shutdown")
    bench.queue.run_all()
    bench.manager.release("win10", "shutdown")
    bench.queue.run_all()
    assert len(bench.messages(Kind.RETURN_BEGUN)) == 1
    assert bench.differences() == {}


def test_release_without_prepare_does_nothing(bench: Bench) -> None:
    bench.manager.release("win10", "shutdown")
    bench.queue.run_all()
    assert bench.host.effects.log == []


def test_release_after_a_refused_start_does_nothing(bench: Bench) -> None:
    bench.host.memory.free = 0
    assert isinstance(bench.prepare(), Refused)
    bench.manager.release("win10", "failed")
    bench.queue.run_all()
    assert bench.host.effects.log == []


def test_release_for_another_guest_does_nothing(bench: Bench) -> None:
    bench.start()
    log = len(bench.host.effects.log)
    bench.manager.release("other", "shutdown")
    bench.queue.run_all()
    assert bench.host.effects.log[log:] == []
    assert bench.phase is Phase.GUEST


def test_a_start_that_fails_after_prepare_gives_everything_back(bench: Bench) -> None:
    bench.prepare()
    bench.manager.release("win10", "failed")
    bench.queue.run_all()
    assert bench.differences() == {}


def test_prepare_waits_for_a_return_that_is_queued(bench: Bench) -> None:
    pid = bench.start()
    bench.host.user.kill(pid)
    bench.manager.release("win10", "shutdown")
    assert bench.prepare() is None
    assert bench.phase is Phase.PREPARED
    assert drivers(bench) == [VFIO_DRIVER] * 3


def test_a_late_end_of_the_first_qemu_leaves_the_second_guest_alone(bench: Bench) -> None:
    first = bench.start()
    bench.end_guest(first)
    bench.start()
    bench.watcher.look()
    bench.queue.run_all()
    assert bench.phase is Phase.GUEST


def test_release_while_qemu_still_has_the_group_waits_and_then_is_stuck(bench: Bench) -> None:
    """libvirt gives up on a QEMU it cannot kill, and calls release all the same."""
    bench.start()
    bench.manager.release("win10", "failed")
    bench.queue.run_all()
    assert bench.phase is Phase.STUCK
    assert "qemu (pid" in bench.messages(Kind.STUCK)[0]
    assert not [m for m in bench.host.kernel.mishaps if "unbound" in m]
    assert drivers(bench) == [VFIO_DRIVER] * 3


def test_a_slow_qemu_is_waited_for(bench: Bench) -> None:
    pid = bench.start()
    bench.host.clock.after(8, lambda: bench.host.user.kill(pid))
    bench.manager.release("win10", "destroyed")
    bench.queue.run_all()
    assert bench.differences() == {}


def test_no_display_manager_is_started_while_the_host_shuts_down(bench: Bench) -> None:
    pid = bench.start()
    bench.host.user.shutting_down = True
    bench.end_guest(pid)
    assert bench.phase is Phase.HOST
    assert not bench.host.units.unit("lightdm.service").active
    assert drivers(bench) == ["amdgpu", "snd_hda_intel", "xhci_hcd"]
    assert bench.host.kernel.mishaps == []
    assert "lightdm.service not started: the host is shutting down" in bench.messages(Kind.REMARK)


def test_a_full_run_directory_does_not_stop_the_way_home(bench: Bench) -> None:
    def full(name: str) -> None:
        if name == "journal update":
            raise HostError("No space left on device")

    pid = bench.start()
    bench.host.effects.barrier = full
    bench.end_guest(pid)
    assert bench.phase is Phase.HOST
    assert bench.differences() == {}


def test_a_stuck_return_is_told_even_if_it_cannot_be_written(bench: Bench) -> None:
    def full(name: str) -> None:
        if name == "journal update":
            raise HostError("No space left on device")

    pid = bench.start()
    bench.host.kernel.drivers["xhci_hcd"].refuses = True
    bench.host.effects.barrier = full
    bench.end_guest(pid)
    assert str(pcs.USB) in bench.messages(Kind.STUCK)[0]


# Stuck


def test_what_is_stuck_is_named_and_the_rest_given_back(bench: Bench) -> None:
    make_stuck(bench)
    faults = bench.status.read()["faults"]
    assert str(pcs.USB) in faults[0]
    assert drivers(bench) == ["amdgpu", "snd_hda_intel", None]
    assert bench.host.units.unit("lightdm.service").active
    assert bench.host.user.inhibited == ""


def test_release_while_stuck_does_nothing(bench: Bench) -> None:
    make_stuck(bench)
    log = len(bench.host.effects.log)
    bench.manager.release("win10", "shutdown")
    bench.queue.run_all()
    assert bench.host.effects.log[log:] == []
    assert bench.phase is Phase.STUCK


def test_the_end_of_qemu_after_a_return_got_stuck_retries_nothing(bench: Bench) -> None:
    make_stuck(bench)
    log = len(bench.host.effects.log)
    bench.watcher.look()
    bench.queue.run_all()
    assert bench.host.effects.log[log:] == []


def test_a_second_release_that_was_queued_retries_nothing(bench: Bench) -> None:
    pid = bench.start()
    bench.host.kernel.drivers["xhci_hcd"].refuses = True
    bench.host.user.kill(pid)
    bench.manager.release("win10", "shutdown")
    bench.manager.release("win10", "shutdown")
    bench.queue.run_all()
    assert len(bench.messages(Kind.STUCK)) == 1


def test_a_start_while_stuck_is_refused_with_the_reason(bench: Bench) -> None:
    make_stuck(bench)
    error = bench.prepare()
    assert isinstance(error, Stuck)
    assert str(pcs.USB) in str(error)
    assert "vfiod return" in str(error)


def test_return_ends_the_stuck_state_once_it_is_set_right(bench: Bench) -> None:
    make_stuck(bench)
    assert isinstance(bench.return_devices(), Stuck)
    bench.host.kernel.drivers["xhci_hcd"].refuses = False
    assert bench.return_devices() is None
    assert bench.phase is Phase.HOST
    assert bench.differences() == {}


def test_a_handoff_whose_roll_back_gets_stuck_is_stuck(bench: Bench) -> None:
    bench.host.kernel.drivers[VFIO_DRIVER].refuses = True
    bench.host.kernel.drivers["xhci_hcd"].refuses = True
    assert isinstance(bench.prepare(), Stuck)
    assert bench.phase is Phase.STUCK
    bench.host.kernel.drivers["xhci_hcd"].refuses = False
    assert bench.return_devices() is None
    assert bench.differences() == {}


def test_a_device_that_was_unplugged_for_good_is_stuck_and_the_rest_comes_back(
    bench: Bench,
) -> None:
    pid = bench.start()
    bench.host.kernel.unplug(pcs.USB)
    bench.host.kernel.removed.clear()
    bench.end_guest(pid)
    assert bench.phase is Phase.STUCK
    assert "the device 0000:02:00.0 is not there" in bench.messages(Kind.STUCK)[0]
    assert bench.host.units.unit("lightdm.service").active


def test_a_device_that_vanished_from_the_bus_is_looked_for(bench: Bench) -> None:
    pid = bench.start()
    bench.host.kernel.unplug(pcs.USB)
    bench.end_guest(pid)
    assert bench.phase is Phase.HOST
    assert bench.differences() == {}


def test_a_return_whose_journal_could_not_be_removed_is_finished_by_the_next_start(
    bench: Bench,
) -> None:
    def spoil(name: str) -> None:
        if name == "journal clear":
            raise HostError("cannot remove")

    pid = bench.start()
    bench.host.effects.barrier = spoil
    bench.end_guest(pid)
    bench.host.effects.barrier = lambda _: None
    assert bench.phase is Phase.RETURN
    bench.end_guest(bench.start())
    assert bench.differences() == {}


# A person asks


def test_return_with_nothing_to_take_back_is_fine(bench: Bench) -> None:
    assert bench.return_devices() is None
    assert bench.host.effects.log == []


def test_return_under_a_running_guest_is_busy(bench: Bench) -> None:
    bench.start()
    error = bench.return_devices()
    assert isinstance(error, Busy)
    assert "win10 is running: qemu (pid" in str(error)
    assert "vfiod return --destroy" in str(error)
    assert bench.phase is Phase.GUEST


def test_return_of_a_prepared_guest_that_has_not_started(bench: Bench) -> None:
    bench.prepare()
    assert bench.return_devices() is None
    assert bench.differences() == {}


# Restarts of the daemon


def test_a_running_guest_is_adopted_after_a_restart(bench: Bench) -> None:
    pid = bench.start()
    bench.host.user.inhibited = ""
    assert bench.recover() is None
    assert bench.phase is Phase.GUEST
    assert bench.host.user.inhibited == "win10 has the display"
    assert "win10 goes on running with" in bench.messages(Kind.ADOPTED)[0]
    bench.host.user.kill(pid)
    bench.pass_time(1)
    assert bench.differences() == {}


def test_an_adopted_guest_is_followed_even_if_logind_is_away(bench: Bench) -> None:
    pid = bench.start()
    bench.boot()
    bench.host.effects.plan({2: Fault.FAIL_BEFORE})
    assert isinstance(bench.outcome(bench.manager.recover()), HostError)
    assert bench.host.effects.log[-1] == "inhibit"
    bench.host.user.kill(pid)
    bench.pass_time(1)
    assert bench.differences() == {}


def test_qemu_and_the_button_are_watched_though_the_journal_cannot_be_written(
    bench: Bench,
) -> None:
    bench.prepare()
    pid = bench.host.start_guest(pcs.DEVICES).pid
    bench.host.effects.plan({1: Fault.FAIL_BEFORE})
    assert isinstance(bench.outcome(bench.manager.started("win10")), HostError)
    assert bench.host.effects.log[-1] == "journal update"
    assert bench.watcher.press()
    bench.host.user.kill(pid)
    bench.pass_time(1)
    assert bench.differences() == {}


def test_a_guest_that_ended_while_the_daemon_was_away(bench: Bench) -> None:
    pid = bench.start()
    bench.host.user.kill(pid)
    assert bench.recover() is None
    assert bench.phase is Phase.HOST
    assert bench.differences() == {}


def test_a_prepared_guest_keeps_the_rest_of_its_deadline(bench: Bench) -> None:
    bench.prepare()
    bench.host.clock.advance(30)
    bench.recover()
    bench.pass_time(29)
    assert bench.phase is Phase.PREPARED
    bench.pass_time(2)
    assert bench.differences() == {}


def test_a_prepared_guest_whose_deadline_has_passed(bench: Bench) -> None:
    bench.prepare()
    bench.host.clock.advance(100)
    bench.recover()
    bench.pass_time(0.1)
    assert bench.differences() == {}


def test_a_broken_configuration_does_not_keep_a_prepared_guest_for_ever(bench: Bench) -> None:
    bench.prepare()
    bench.text = "guests: ["
    assert bench.recover() is None
    bench.pass_time(61)
    assert bench.differences() == {}


def test_reconnect_adopts(bench: Bench) -> None:
    """libvirtd was restarted, and vfiod did not hear of the start."""
    bench.prepare()
    bench.host.start_guest(pcs.DEVICES)
    bench.recover()
    assert bench.phase is Phase.GUEST
    assert bench.outcome(bench.manager.started("win10")) is None
    assert bench.phase is Phase.GUEST


def test_what_is_stuck_stays_so_over_a_restart(bench: Bench) -> None:
    make_stuck(bench)
    log = len(bench.host.effects.log)
    bench.events.clear()
    assert bench.recover() is None
    assert bench.host.effects.log[log:] == []
    assert str(pcs.USB) in bench.messages(Kind.STUCK)[-1]


def test_a_killed_daemon_finishes_the_return_at_its_restart(bench: Bench) -> None:
    pid = bench.start()
    bench.manager.release("win10", "shutdown")
    bench.host.user.kill(pid)
    assert bench.recover() is None
    assert bench.differences() == {}


def test_a_killed_handoff_is_undone_at_the_restart(bench: Bench) -> None:
    bench.host.effects.plan({20: Fault.KILL_AFTER})
    assert is_killed(bench.prepare())
    assert bench.phase is Phase.HANDOFF
    assert bench.recover() is None
    assert bench.differences() == {}
    assert "the daemon was restarted in the middle" in bench.messages(Kind.RETURN_BEGUN)[0]


def test_a_rom_from_before_a_reboot_is_swept_away(bench: Bench) -> None:
    bench.host.files.staged[pcs.VGA] = b"old"
    assert bench.recover() is None
    assert bench.host.files.staged == {}


def test_a_rom_that_somebody_keeps_where_it_is_staged_outlives_guest_and_daemon(
    run_directory: Path,
) -> None:
    host = pcs.desktop()
    host.files.theirs[pcs.VGA] = pcs.rom()
    staged = host.files.staged_path(pcs.VGA)
    bench = Bench(host, run_directory, pcs.configuration().replace(pcs.ROM, staged))
    bench.end_guest(bench.start())
    assert bench.recover() is None
    assert host.files.theirs == {pcs.VGA: pcs.rom()}
    assert bench.differences() == {}


def test_a_journal_that_cannot_be_read_is_told(bench: Bench) -> None:
    bench.path.write_text("{")
    assert isinstance(bench.recover(), HostError)
    assert "the journal cannot be read" in bench.messages(Kind.STUCK)[0]
    assert isinstance(bench.prepare(), HostError)
    assert not [name for name in bench.host.effects.log if not name.startswith("journal")]
