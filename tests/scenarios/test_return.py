"""Ends of guests and of daemons: the host must come out as it was, or say why not."""

import errno
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.rig import Rig, is_killed
from tests.fakes.userspace import Program
from vfiod.errors import Busy, HostError, Refused, Stuck
from vfiod.events import Kind
from vfiod.handoff import journal
from vfiod.model import VFIO_DRIVER, Phase


def make_stuck(rig: Rig) -> None:
    """A return during which the USB controller's driver does not come back."""
    pid = rig.start()
    rig.host.kernel.drivers["xhci_hcd"].refuses = True
    rig.end_guest(pid)
    assert rig.phase is Phase.STUCK


# Return


def test_everything_comes_back_after_the_guest(rig: Rig) -> None:
    pid = rig.start()
    rig.end_guest(pid)
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}
    assert len(rig.messages(Kind.RETURN_COMPLETE)) == 1


def test_sound_that_waits_for_a_display_in_another_slot_comes_after_it(
    run_directory: Path,
) -> None:
    rig = Rig(pcs.arc(), run_directory)
    assert rig.prepare() is None
    rig.end_guest(rig.host.start_guest((pcs.VGA, pcs.ARC_SOUND, pcs.USB)).pid)
    assert rig.messages(Kind.STEP_FAILED) == rig.messages(Kind.REMEDY) == []
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_a_driver_that_stays_loaded_takes_its_card_back_without_a_file(rig: Rig) -> None:
    """The kernel was updated: its modules are off the disk until the host is rebooted."""
    rig.host.kernel.load("vfio_pci")
    rig.host.kernel.modules_removed = True
    pid = rig.start()
    rig.end_guest(pid)
    assert rig.phase is Phase.HOST
    assert rig.messages(Kind.STEP_FAILED) == rig.messages(Kind.REMEDY) == []
    assert rig.differences() == {}


def test_three_rounds_in_one_boot(rig: Rig) -> None:
    for _ in range(3):
        rig.end_guest(rig.start())
        assert rig.differences() == {}


def test_the_card_may_come_back_under_another_number(rig: Rig) -> None:
    pid = rig.start()
    rig.host.user.spawn(Program("forgotten"), nodes=["/dev/dri/card0"])
    rig.end_guest(pid)
    assert rig.host.pci.output(pcs.VGA).cards == ("card1",)
    assert rig.phase is Phase.HOST
    assert rig.messages(Kind.STEP_FAILED) == []
    rig.pass_time(60)
    (told,) = [text for text in rig.messages(Kind.REMARK) if "is card1 now, it was card0" in text]
    assert "/dev/dri/by-path/" in told


def test_a_drm_node_that_comes_late_is_waited_for(rig: Rig) -> None:
    pid = rig.start()
    rig.host.kernel.drivers["amdgpu"].node_after = 7.0
    rig.end_guest(pid)
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_a_console_that_comes_after_a_late_node_is_waited_for_and_bound(rig: Rig) -> None:
    pid = rig.start()
    amdgpu = rig.host.kernel.drivers["amdgpu"]
    amdgpu.node_after, amdgpu.console_after = 7.0, 1.0
    rig.host.kernel.fbcon_returns_bound = False
    rig.end_guest(pid)
    assert rig.phase is Phase.HOST
    assert rig.host.kernel.fbcon is True
    assert rig.differences() == {}


def test_a_drm_node_that_never_comes_is_stuck_and_says_so(rig: Rig) -> None:
    pid = rig.start()
    rig.host.kernel.drivers["amdgpu"].node_after = None
    rig.end_guest(pid)
    assert rig.phase is Phase.STUCK
    (fault,) = rig.messages(Kind.STUCK)
    assert str(pcs.VGA) in fault
    lines = fault.splitlines()
    assert lines[0] == f"the screen of {pcs.VGA} is dark: the host does not have it back"
    assert "vfiod does not go on by itself" in lines
    assert lines[-1].endswith("sudo systemctl reboot")
    assert rig.host.pci.function(pcs.AUDIO).driver == "snd_hda_intel"


def test_the_end_of_qemu_is_enough_without_a_release(rig: Rig) -> None:
    pid = rig.start()
    rig.host.user.kill(pid)
    rig.pass_time(1)
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_release_and_the_end_of_qemu_together_return_once(rig: Rig) -> None:
    pid = rig.start()
    rig.host.user.kill(pid)
    rig.manager.release("win10", "crashed")
    rig.watcher.look()
    rig.queue.run_all()
    assert len(rig.messages(Kind.RETURN_BEGUN)) == 1
    assert rig.differences() == {}


def test_release_answers_before_the_work_and_journals_the_return(rig: Rig) -> None:
    rig.start()
    log = len(rig.host.effects.log)
    rig.host.libvirt.give_up()
    rig.manager.release("win10", "shutdown")
    assert rig.host.effects.log[log:] == ["journal update"]
    assert rig.phase is Phase.RETURN


def test_release_twice_returns_once(rig: Rig) -> None:
    pid = rig.start()
    rig.host.user.kill(pid)
    rig.manager.release("win10", "shutdown")
    rig.manager.release("win10", "shutdown")
    rig.queue.run_all()
    rig.manager.release("win10", "shutdown")
    rig.queue.run_all()
    assert len(rig.messages(Kind.RETURN_BEGUN)) == 1
    assert rig.differences() == {}


def test_release_of_a_guest_that_runs_is_not_believed(rig: Rig) -> None:
    """Somebody has called the hook by hand, or an earlier run's release was late."""
    pid = rig.start()
    log = len(rig.host.effects.log)
    rig.manager.release("win10", "-")
    rig.queue.run_all()
    rig.pass_time(1000)
    assert rig.phase is Phase.GUEST
    assert rig.host.effects.log[log:] == []
    (told,) = [text for text in rig.messages(Kind.REMARK) if "the hook was told" in text]
    assert f"qemu (pid {pid})" in told
    assert rig.watcher.press()
    rig.end_guest(pid)
    assert rig.differences() == {}


def test_release_of_a_guest_that_runs_and_was_not_followed_yet_has_it_followed(rig: Rig) -> None:
    rig.prepare()
    pid = rig.host.start_guest(pcs.DEVICES).pid
    rig.manager.release("win10", "-")
    rig.queue.run_all()
    assert rig.phase is Phase.GUEST
    rig.host.user.kill(pid)
    rig.pass_time(5)
    assert rig.differences() == {}


def test_release_that_is_not_believed_survives_a_daemon_that_dies_of_it(rig: Rig) -> None:
    pid = rig.start()
    rig.manager.release("win10", "-")
    assert rig.recover() is None
    assert rig.phase is Phase.GUEST
    rig.end_guest(pid)
    assert rig.differences() == {}


def test_release_while_libvirt_is_late_is_believed_once_qemu_has_ended(rig: Rig) -> None:
    """Its file cannot be removed, say."""
    pid = rig.start()
    rig.host.libvirt.hangs = True
    rig.host.user.kill(pid)
    rig.manager.release("win10", "shutdown")
    rig.queue.run_all()
    assert rig.phase is Phase.HOST


def test_the_host_is_not_rebooted_under_a_guest_that_libvirt_has(run_directory: Path) -> None:
    """However a return began under it."""
    rig = Rig(pcs.desktop(), run_directory, "on_stuck: reboot\n" + pcs.configuration())
    pid = rig.start()
    record = rig.journal.read()
    assert record is not None
    with suppress(Stuck):
        rig.manager.handoff.return_devices(record.transaction, "whatever")
    assert rig.phase is Phase.STUCK
    rig.pass_time(1000)
    assert "reboot" not in rig.host.effects.log
    assert "not rebooting (on_stuck: reboot): libvirt says that win10 runs" in rig.messages(
        Kind.REMARK
    )
    rig.host.user.kill(pid)
    rig.host.libvirt.clean_up()
    rig.pass_time(10)
    assert rig.differences() == {}


def test_release_without_prepare_does_nothing(rig: Rig) -> None:
    rig.manager.release("win10", "shutdown")
    rig.queue.run_all()
    assert rig.host.effects.log == []


def test_release_after_a_refused_start_does_nothing(rig: Rig) -> None:
    rig.host.memory.free = 0
    assert isinstance(rig.prepare(), Refused)
    rig.manager.release("win10", "failed")
    rig.queue.run_all()
    assert rig.host.effects.log == []


def test_release_for_another_guest_does_nothing(rig: Rig) -> None:
    rig.start()
    log = len(rig.host.effects.log)
    rig.manager.release("other", "shutdown")
    rig.queue.run_all()
    assert rig.host.effects.log[log:] == []
    assert rig.phase is Phase.GUEST


def test_a_start_that_fails_after_prepare_gives_everything_back(rig: Rig) -> None:
    rig.prepare()
    rig.manager.release("win10", "failed")
    rig.queue.run_all()
    assert rig.differences() == {}


def test_prepare_waits_for_a_return_that_is_queued(rig: Rig) -> None:
    pid = rig.start()
    rig.host.user.kill(pid)
    rig.manager.release("win10", "shutdown")
    assert rig.prepare() is None
    assert rig.phase is Phase.PREPARED
    assert rig.drivers == [VFIO_DRIVER] * 3


def test_a_late_end_of_the_first_qemu_leaves_the_second_guest_alone(rig: Rig) -> None:
    first = rig.start()
    rig.end_guest(first)
    rig.start()
    rig.watcher.look()
    rig.queue.run_all()
    assert rig.phase is Phase.GUEST


def test_release_while_qemu_still_has_the_group_waits_and_then_is_stuck(rig: Rig) -> None:
    """libvirt gives up on a QEMU it cannot kill, and calls release all the same."""
    rig.start()
    rig.host.libvirt.give_up()
    rig.manager.release("win10", "failed")
    rig.queue.run_all()
    assert rig.phase is Phase.STUCK
    assert "qemu (pid" in rig.messages(Kind.STUCK)[0]
    assert not [m for m in rig.host.kernel.mishaps if "unbound" in m]
    assert rig.drivers == [VFIO_DRIVER] * 3


def test_a_slow_qemu_is_waited_for(rig: Rig) -> None:
    pid = rig.start()
    rig.host.clock.after(8, lambda: rig.host.user.kill(pid))
    rig.host.libvirt.give_up()
    rig.manager.release("win10", "destroyed")
    rig.queue.run_all()
    assert rig.differences() == {}


def test_no_display_manager_is_started_while_the_host_shuts_down(rig: Rig) -> None:
    pid = rig.start()
    rig.host.user.shutting_down = True
    rig.end_guest(pid)
    assert rig.phase is Phase.HOST
    assert not rig.host.units.unit("lightdm.service").active
    assert rig.drivers == ["amdgpu", "snd_hda_intel", "xhci_hcd"]
    assert rig.host.kernel.mishaps == []
    assert "lightdm.service not started: the host is shutting down" in rig.messages(Kind.REMARK)


def test_a_full_run_directory_does_not_stop_the_way_home(rig: Rig) -> None:
    def full(name: str) -> None:
        if name == "journal update":
            raise HostError("No space left on device")

    pid = rig.start()
    rig.host.effects.barrier = full
    rig.end_guest(pid)
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_a_stuck_return_is_told_even_if_it_cannot_be_written(rig: Rig) -> None:
    def full(name: str) -> None:
        if name == "journal update":
            raise HostError("No space left on device")

    pid = rig.start()
    rig.host.kernel.drivers["xhci_hcd"].refuses = True
    rig.host.effects.barrier = full
    rig.end_guest(pid)
    assert str(pcs.USB) in rig.messages(Kind.STUCK)[0]


# Stuck


def test_a_card_that_needs_a_remedy_gets_it_before_anybody_is_waited_for(
    run_directory: Path,
) -> None:
    """A console, or a service that follows the display manager: neither can come before it."""
    rig = Rig(pcs.crowded(), run_directory)
    pid = rig.start()
    rig.host.kernel.devices[pcs.VGA].cure = "reset pm"
    rig.host.kernel.fbcon_returns_bound = False
    began = rig.host.now()
    rig.end_guest(pid)
    assert rig.host.now() - began < 1
    assert rig.phase is Phase.HOST
    assert rig.host.units.unit("lactd.service").active
    assert rig.host.kernel.fbcon is True
    assert not any("console" in text for text in rig.messages(Kind.REMARK))


def test_what_is_stuck_is_named_and_the_rest_given_back(rig: Rig) -> None:
    make_stuck(rig)
    faults = rig.status.read()["faults"]
    assert str(pcs.USB) in faults[0]
    assert rig.drivers == ["amdgpu", "snd_hda_intel", None]
    assert rig.host.units.unit("lightdm.service").active
    assert rig.host.user.inhibited == ""


def test_release_while_stuck_does_nothing(rig: Rig) -> None:
    make_stuck(rig)
    log = len(rig.host.effects.log)
    rig.manager.release("win10", "shutdown")
    rig.queue.run_all()
    assert rig.host.effects.log[log:] == []
    assert rig.phase is Phase.STUCK


def test_the_end_of_qemu_after_a_return_got_stuck_retries_nothing(rig: Rig) -> None:
    make_stuck(rig)
    log = len(rig.host.effects.log)
    rig.watcher.look()
    rig.queue.run_all()
    assert rig.host.effects.log[log:] == []


def test_a_second_release_that_was_queued_retries_nothing(rig: Rig) -> None:
    pid = rig.start()
    rig.host.kernel.drivers["xhci_hcd"].refuses = True
    rig.host.user.kill(pid)
    rig.manager.release("win10", "shutdown")
    rig.manager.release("win10", "shutdown")
    rig.queue.run_all()
    assert len(rig.messages(Kind.STUCK)) == 1


def test_a_start_while_stuck_is_refused_with_the_reason(rig: Rig) -> None:
    make_stuck(rig)
    error = rig.prepare()
    assert isinstance(error, Stuck)
    assert str(pcs.USB) in str(error)
    assert "vfiod return" in str(error)


def test_return_ends_the_stuck_state_once_it_is_set_right(rig: Rig) -> None:
    make_stuck(rig)
    assert isinstance(rig.return_devices(), Stuck)
    rig.host.kernel.drivers["xhci_hcd"].refuses = False
    assert rig.return_devices() is None
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_a_handoff_whose_roll_back_gets_stuck_is_stuck(rig: Rig) -> None:
    rig.host.kernel.drivers[VFIO_DRIVER].refuses = True
    rig.host.kernel.drivers["xhci_hcd"].refuses = True
    assert isinstance(rig.prepare(), Stuck)
    assert rig.phase is Phase.STUCK
    rig.host.kernel.drivers["xhci_hcd"].refuses = False
    assert rig.return_devices() is None
    assert rig.differences() == {}


def test_a_device_that_was_unplugged_for_good_is_stuck_and_the_rest_comes_back(
    rig: Rig,
) -> None:
    pid = rig.start()
    rig.host.kernel.unplug(pcs.USB)
    rig.host.kernel.removed.clear()
    rig.end_guest(pid)
    assert rig.phase is Phase.STUCK
    assert "the device 0000:02:00.0 is not there" in rig.messages(Kind.STUCK)[0]
    assert rig.host.units.unit("lightdm.service").active


def test_a_device_that_vanished_from_the_bus_is_looked_for(rig: Rig) -> None:
    pid = rig.start()
    rig.host.kernel.unplug(pcs.USB)
    rig.end_guest(pid)
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_a_return_whose_journal_could_not_be_removed_is_finished_by_the_next_start(
    rig: Rig,
) -> None:
    def spoil(name: str) -> None:
        if name == "journal clear":
            raise HostError("cannot remove")

    pid = rig.start()
    rig.host.effects.barrier = spoil
    rig.end_guest(pid)
    rig.host.effects.barrier = lambda _: None
    assert rig.phase is Phase.RETURN
    rig.end_guest(rig.start())
    assert rig.differences() == {}


# A person asks


def test_return_with_nothing_to_take_back_is_fine(rig: Rig) -> None:
    assert rig.return_devices() is None
    assert rig.host.effects.log == []


def test_return_under_a_running_guest_is_busy(rig: Rig) -> None:
    rig.start()
    error = rig.return_devices()
    assert isinstance(error, Busy)
    assert "win10 is running: qemu (pid" in str(error)
    assert "vfiod return --destroy" in str(error)
    assert rig.phase is Phase.GUEST


def test_return_of_a_prepared_guest_that_has_not_started(rig: Rig) -> None:
    rig.prepare()
    assert rig.return_devices() is None
    assert rig.differences() == {}


# Restarts of the daemon


def test_a_running_guest_is_adopted_after_a_restart(rig: Rig) -> None:
    pid = rig.start()
    rig.host.user.inhibited = ""
    assert rig.recover() is None
    assert rig.phase is Phase.GUEST
    assert rig.host.user.inhibited == "win10 has the display"
    assert "win10 goes on running with" in rig.messages(Kind.ADOPTED)[0]
    rig.host.user.kill(pid)
    rig.pass_time(1)
    assert rig.differences() == {}


def test_an_adopted_guest_is_followed_even_if_logind_is_away(rig: Rig) -> None:
    pid = rig.start()
    rig.boot()
    rig.host.effects.plan({2: Fault.FAIL_BEFORE})
    assert isinstance(rig.outcome(rig.manager.recover()), HostError)
    assert rig.host.effects.log[-1] == "inhibit"
    rig.host.user.kill(pid)
    rig.pass_time(1)
    assert rig.differences() == {}


def test_qemu_and_the_button_are_watched_though_the_journal_cannot_be_written(
    rig: Rig,
) -> None:
    rig.prepare()
    pid = rig.host.start_guest(pcs.DEVICES).pid
    rig.host.effects.plan({1: Fault.FAIL_BEFORE})
    assert isinstance(rig.outcome(rig.manager.started("win10")), HostError)
    assert rig.host.effects.log[-1] == "journal update"
    assert rig.watcher.press()
    rig.host.user.kill(pid)
    rig.pass_time(1)
    assert rig.differences() == {}


def test_a_guest_that_ended_while_the_daemon_was_away(rig: Rig) -> None:
    pid = rig.start()
    rig.host.user.kill(pid)
    assert rig.recover() is None
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_a_prepared_guest_keeps_the_rest_of_its_deadline(rig: Rig) -> None:
    rig.prepare()
    rig.host.clock.advance(30)
    rig.recover()
    rig.pass_time(29)
    assert rig.phase is Phase.PREPARED
    rig.pass_time(2)
    assert rig.differences() == {}


def test_a_prepared_guest_whose_deadline_has_passed(rig: Rig) -> None:
    rig.prepare()
    rig.host.clock.advance(100)
    rig.recover()
    rig.pass_time(0.1)
    assert rig.differences() == {}


def test_a_broken_configuration_does_not_keep_a_prepared_guest_for_ever(rig: Rig) -> None:
    rig.prepare()
    rig.text = "guests: ["
    assert rig.recover() is None
    rig.pass_time(61)
    assert rig.differences() == {}


def test_reconnect_adopts(rig: Rig) -> None:
    """libvirtd was restarted, and vfiod did not hear of the start."""
    rig.prepare()
    rig.host.start_guest(pcs.DEVICES)
    rig.recover()
    assert rig.phase is Phase.GUEST
    assert rig.outcome(rig.manager.started("win10")) is None
    assert rig.phase is Phase.GUEST


def test_what_is_stuck_is_tried_once_more_at_a_restart_without_a_reset(rig: Rig) -> None:
    make_stuck(rig)
    log = len(rig.host.effects.log)
    rig.events.clear()
    assert isinstance(rig.recover(), Stuck)
    assert rig.phase is Phase.STUCK
    verbs = ("reset", "rediscover", "unload")
    assert not [name for name in rig.host.effects.log[log:] if name.startswith(verbs)]
    assert str(pcs.USB) in rig.messages(Kind.STUCK)[-1]
    rig.pass_time(1000)
    assert len(rig.messages(Kind.RETURN_BEGUN)) == 1


def test_a_killed_daemon_finishes_the_return_at_its_restart(rig: Rig) -> None:
    pid = rig.start()
    rig.manager.release("win10", "shutdown")
    rig.host.user.kill(pid)
    assert rig.recover() is None
    assert rig.differences() == {}


def test_a_killed_handoff_is_undone_at_the_restart(rig: Rig) -> None:
    rig.host.effects.plan({20: Fault.KILL_AFTER})
    assert is_killed(rig.prepare())
    assert rig.phase is Phase.HANDOFF
    assert rig.recover() is None
    assert rig.differences() == {}
    assert "the daemon was restarted in the middle" in rig.messages(Kind.RETURN_BEGUN)[0]


def test_a_rom_from_before_a_reboot_is_swept_away(rig: Rig) -> None:
    rig.host.files.staged[pcs.VGA] = b"old"
    assert rig.recover() is None
    assert rig.host.files.staged == {}


def test_a_rom_that_somebody_keeps_where_it_is_staged_outlives_guest_and_daemon(
    run_directory: Path,
) -> None:
    host = pcs.desktop()
    host.files.theirs[pcs.VGA] = pcs.rom()
    staged = host.files.staged_path(pcs.VGA)
    rig = Rig(host, run_directory, pcs.configuration().replace(pcs.ROM, staged))
    rig.end_guest(rig.start())
    assert rig.recover() is None
    assert host.files.theirs == {pcs.VGA: pcs.rom()}
    assert rig.differences() == {}


def test_a_journal_that_cannot_be_read_is_told(rig: Rig) -> None:
    rig.path.write_text("{")
    assert isinstance(rig.recover(), HostError)
    assert "the journal cannot be read" in rig.messages(Kind.STUCK)[0]
    assert isinstance(rig.prepare(), HostError)
    assert not [name for name in rig.host.effects.log if not name.startswith("journal")]


def test_a_journal_that_cannot_be_removed_does_not_hide_that_all_is_back(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = rig.start()
    monkeypatch.setattr(journal, "remove_file", read_only)
    rig.end_guest(pid)
    assert len(rig.messages(Kind.RETURN_COMPLETE)) == 1
    assert "cannot remove" in rig.messages(Kind.STEP_FAILED)[-1]
    monkeypatch.undo()
    assert rig.prepare() is None


def test_a_start_that_fails_beside_such_a_journal_says_why(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.host.kernel.drivers["vfio-pci"].refuses = True
    monkeypatch.setattr(journal, "remove_file", read_only)
    error = rig.prepare()
    assert isinstance(error, HostError)
    assert "vfio-pci" in str(error)


def test_what_got_stuck_is_told_even_if_it_cannot_be_watched(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_pid: int, _then: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    pid = rig.start()
    monkeypatch.setattr(rig.watcher, "on_exit", full)
    rig.host.effects.barrier = lambda name: (
        rig.host.effects.plan({1: Fault.HANG}) if name == f"probe {pcs.VGA}" else None
    )
    rig.end_guest(pid)
    assert rig.phase is Phase.STUCK
    assert len(rig.messages(Kind.STUCK)) == 1


def read_only(_path: Path) -> None:
    raise OSError(errno.EROFS, "Read-only file system")


def test_a_device_that_is_gone_is_not_promised_by_a_reboot(rig: Rig) -> None:
    pid = rig.start()
    rig.host.kernel.unplug(pcs.USB)
    rig.host.kernel.removed.clear()  # and no scan of its bus finds it
    rig.end_guest(pid)
    (told,) = rig.status.read()["faults"]
    assert "a reboot alone may not bring back what is not there: 0000:02:00.0" in told
    assert "brings all of it back" not in told


def test_a_display_manager_that_fails_is_not_promised_by_a_reboot(rig: Rig) -> None:
    pid = rig.start()
    rig.host.user.units["lightdm.service"].start_fails = True
    rig.end_guest(pid)
    (told,) = rig.status.read()["faults"]
    assert "a reboot starts lightdm.service only if it was the handoff that kept it down" in told
    assert "why it does not start: sudo journalctl -b -u lightdm.service" in told
    assert "brings all of it back" not in told


def test_who_obeys_the_remedy_for_a_damaged_journal_has_a_login_screen(rig: Rig) -> None:
    pid = rig.start()
    rig.host.user.kill(pid)
    for address in pcs.DEVICES:
        rig.host.pci.set_override(address, None)
        rig.host.pci.unbind(address, seconds=1)
        rig.host.pci.probe(address, seconds=1)
    rig.path.write_text(rig.path.read_text()[:-9])
    error = rig.recover()
    assert isinstance(error, HostError)
    rig.path.unlink()
    rig.boot()
    command = error.hint.splitlines()[2].rpartition(": ")[2]
    rig.type(command)
    assert rig.host.units.unit("lightdm.service").active
