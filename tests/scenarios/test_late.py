"""Late is not hung: what takes its time is waited for, watched, and gone on with by itself."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import LATENESS, Fault
from tests.fakes.rig import Rig
from vfiod.errors import Busy, HostError, KernelStuck, Stuck
from vfiod.events import Kind
from vfiod.handoff.recovery.outlook import TRIES
from vfiod.handoff.recovery.patience import SECONDS as PATIENCE
from vfiod.handoff.retrying import PATIENCE_SECONDS
from vfiod.handoff.tasks import Start
from vfiod.model import VFIO_DRIVER, Phase

WITH_REBOOT = "on_stuck: reboot\n" + pcs.configuration()
DM = "lightdm.service"


def spoil(rig: Rig, name: str, fault: Fault, *, times: int = 1) -> None:
    """Have the next effects of that name go wrong."""
    left = times

    def watch(now: str) -> None:
        nonlocal left
        if now == name and left:
            left -= 1
            rig.host.effects.plan({1: fault})

    rig.host.effects.barrier = watch


def phase(rig: Rig) -> Phase:
    return rig.phase


def resets(rig: Rig) -> list[str]:
    verbs = ("reset ", "rediscover ", "unload ", "sleep", "reboot")
    return [name for name in rig.host.effects.log if name.startswith(verbs)]


# Calls into the kernel


def test_a_healthy_probe_that_is_slow_needs_no_reset_and_nobody(rig: Rig) -> None:
    pid = rig.start()
    spoil(rig, f"probe {pcs.VGA}", Fault.LATE)
    rig.end_guest(pid)
    assert phase(rig) is Phase.HOST
    assert resets(rig) == []
    assert rig.host.units.unit(DM).active
    assert rig.differences() == {}


def test_a_probe_that_is_slow_and_fails_does_not_end_the_ladder(rig: Rig) -> None:
    pid = rig.start()
    rig.host.kernel.devices[pcs.VGA].cure = "reset pm"
    spoil(rig, f"probe {pcs.VGA}", Fault.LATE)
    rig.end_guest(pid)
    assert phase(rig) is Phase.HOST
    assert resets(rig) == [f"reset {pcs.VGA} pm"]
    assert rig.differences() == {}


def test_no_display_manager_is_started_on_a_card_whose_probe_is_under_way(rig: Rig) -> None:
    pid = rig.start()
    spoil(rig, f"probe {pcs.VGA}", Fault.HANG)
    rig.end_guest(pid)
    assert phase(rig) is Phase.STUCK
    assert f"start {DM}" not in rig.host.effects.log
    assert rig.host.pci.driver(pcs.VGA) == "amdgpu"
    assert resets(rig) == []


def test_what_comes_back_much_later_is_gone_on_with_by_itself(rig: Rig) -> None:
    pid = rig.start()
    spoil(rig, f"probe {pcs.VGA}", Fault.HANG)
    rig.end_guest(pid)
    assert phase(rig) is Phase.STUCK
    assert "goes on by itself" in rig.status.read()["faults"][0]
    (told,) = rig.messages(Kind.KERNEL_STUCK)
    assert str(pcs.VGA) in told
    rig.pass_time(1000)
    assert phase(rig) is Phase.STUCK
    rig.host.effects.thaw()
    rig.pass_time(1)
    assert phase(rig) is Phase.HOST
    assert "has ended after all" in rig.messages(Kind.KERNEL_ANSWERS)[0]
    assert rig.messages(Kind.RETURN_COMPLETE)
    assert rig.differences() == {}


def test_what_an_earlier_daemon_left_behind_is_watched_too(rig: Rig) -> None:
    pid = rig.start()
    spoil(rig, f"probe {pcs.VGA}", Fault.HANG)
    rig.end_guest(pid)
    rig.recover()
    assert phase(rig) is Phase.STUCK
    rig.host.effects.thaw()
    rig.pass_time(1)
    assert phase(rig) is Phase.HOST
    assert rig.differences() == {}


def test_what_ends_while_the_daemon_is_away_is_gone_on_with_at_its_restart(rig: Rig) -> None:
    pid = rig.start()
    spoil(rig, f"probe {pcs.VGA}", Fault.HANG)
    rig.end_guest(pid)
    assert phase(rig) is Phase.STUCK
    rig.host.effects.thaw()
    assert rig.recover() is None
    assert phase(rig) is Phase.HOST
    assert rig.host.units.unit(DM).active
    assert rig.differences() == {}


def test_what_ends_while_the_daemon_is_away_and_has_failed_climbs_the_ladder(rig: Rig) -> None:
    pid = rig.start()
    rig.host.kernel.devices[pcs.VGA].cure = "reset bus"
    spoil(rig, f"probe {pcs.VGA}", Fault.HANG)
    rig.end_guest(pid)
    rig.host.effects.thaw()
    assert rig.recover() is None
    assert f"reset {pcs.VGA} bus" in resets(rig)
    assert rig.differences() == {}


def test_what_comes_back_much_later_and_has_failed_climbs_the_ladder(rig: Rig) -> None:
    pid = rig.start()
    rig.host.kernel.devices[pcs.VGA].cure = "reset bus"
    spoil(rig, f"probe {pcs.VGA}", Fault.HANG)
    rig.end_guest(pid)
    assert resets(rig) == []
    rig.host.effects.thaw()
    rig.pass_time(1)
    assert f"reset {pcs.VGA} bus" in resets(rig)
    assert phase(rig) is Phase.HOST
    assert rig.differences() == {}


def test_a_late_unbind_on_the_way_out_costs_the_start_and_nothing_else(rig: Rig) -> None:
    spoil(rig, f"unbind {pcs.VGA}", Fault.LATE)
    error = rig.prepare()
    assert isinstance(error, HostError)
    assert not isinstance(error, Stuck)
    assert f"did not finish unbind {pcs.VGA}" in str(error)
    assert rig.differences() == {}


def test_a_call_that_is_late_again_and_again_is_not_asked_for_ever(rig: Rig) -> None:
    pid = rig.start()
    spoil(rig, f"probe {pcs.USB}", Fault.HANG, times=100)
    rig.end_guest(pid)
    rig.host.kernel.drivers["xhci_hcd"].refuses = True
    for _ in range(3 * TRIES):
        rig.host.effects.thaw()
        rig.pass_time(1)
    assert len(rig.messages(Kind.RETURN_BEGUN)) == 1 + TRIES
    assert "to try again, run: sudo vfiod return" in rig.messages(Kind.REMARK)[-1]
    (told,) = rig.status.read()["faults"]
    assert "vfiod does not go on by itself any more" in told
    assert "once what is late has ended, have it tried again: sudo vfiod return" in told
    assert "give it some minutes" not in told


def test_a_new_daemon_tries_again_what_the_old_one_gave_up_and_says_so(rig: Rig) -> None:
    pid = rig.start()
    spoil(rig, f"probe {pcs.USB}", Fault.HANG, times=100)
    rig.end_guest(pid)
    rig.host.kernel.drivers["xhci_hcd"].refuses = True
    for _ in range(TRIES):
        rig.host.effects.thaw()
        rig.pass_time(1)
    assert "does not go on by itself any more" in rig.status.read()["faults"][0]
    rig.host.kernel.drivers["xhci_hcd"].refuses = False
    rig.host.effects.barrier = lambda _: None
    assert rig.recover() is None
    assert "goes on by itself as soon as it ends" in rig.status.read()["faults"][0]
    rig.host.effects.thaw()
    rig.pass_time(1)
    assert rig.differences() == {}


def test_a_console_whose_unbind_hangs_does_not_hang_the_way_back(rig: Rig) -> None:
    spoil(rig, "console vtcon1 False", Fault.HANG)
    error = rig.prepare()
    assert isinstance(error, Stuck)
    assert "still busy with vtcon1" in str(error)
    assert rig.host.units.unit(DM).active
    rig.host.effects.thaw()
    rig.pass_time(1)
    assert phase(rig) is Phase.HOST
    assert rig.differences() == {}


def test_the_patience_of_the_recovery_is_bounded(rig: Rig) -> None:
    pid = rig.start()
    spoil(rig, f"unbind {pcs.USB}", Fault.HANG)
    began = rig.host.now()
    rig.end_guest(pid)
    assert phase(rig) is Phase.STUCK
    assert rig.host.now() - began < 2 * PATIENCE
    assert PATIENCE > LATENESS


# Programs


def test_a_modprobe_that_hangs_is_named_and_the_rest_comes_back(run_directory: Path) -> None:
    rig = Rig(pcs.nvidia(), run_directory)
    spoil(rig, "unload nvidia_drm", Fault.HANG)
    error = rig.prepare()
    assert isinstance(error, Stuck)
    assert "the kernel is still busy with module nvidia_drm" in str(error)
    with pytest.raises(KernelStuck):
        rig.host.modules.load("nvidia_drm", seconds=1)
    rig.host.modules.load("vfio_pci", seconds=1)
    rig.host.effects.thaw()
    rig.pass_time(1)
    assert phase(rig) is Phase.HOST
    assert rig.differences() == {}


# Units


def test_a_display_manager_whose_start_is_slow_is_waited_for(rig: Rig) -> None:
    pid = rig.start()
    rig.host.user.units[DM].start_takes = 21
    rig.end_guest(pid)
    assert phase(rig) is Phase.HOST
    assert rig.differences() == {}


def test_a_display_manager_whose_start_is_very_late_ends_the_stuck_state(rig: Rig) -> None:
    pid = rig.start()
    rig.host.user.units[DM].start_takes = 90
    rig.end_guest(pid)
    assert phase(rig) is Phase.STUCK
    for _ in range(20):
        rig.pass_time(5)
    assert phase(rig) is Phase.HOST
    assert rig.differences() == {}


def test_a_very_late_display_manager_ends_the_stuck_state_after_a_restart_too(rig: Rig) -> None:
    pid = rig.start()
    rig.host.user.units[DM].start_takes = 90
    rig.end_guest(pid)
    assert phase(rig) is Phase.STUCK
    assert rig.recover() is None
    assert phase(rig) is Phase.STUCK
    for _ in range(20):
        rig.pass_time(5)
    assert phase(rig) is Phase.HOST
    assert rig.differences() == {}


# QEMU


def test_a_qemu_that_dies_slowly_is_the_retry(rig: Rig) -> None:
    pid = rig.start()
    rig.host.libvirt.guests.clear()  # it gives up on a QEMU that it cannot kill
    rig.manager.release("win10", "failed")
    rig.queue.run_all()
    assert phase(rig) is Phase.STUCK
    rig.pass_time(130)
    assert phase(rig) is Phase.STUCK
    rig.host.user.kill(pid)
    rig.pass_time(1)
    assert phase(rig) is Phase.HOST
    assert f"qemu (pid {pid}) has ended" in rig.messages(Kind.RETURN_BEGUN)[-1]
    assert rig.differences() == {}


def test_a_qemu_that_dies_slowly_is_the_retry_after_a_restart_too(rig: Rig) -> None:
    pid = rig.start()
    rig.host.libvirt.guests.clear()  # it gives up on a QEMU that it cannot kill
    rig.manager.release("win10", "failed")
    rig.queue.run_all()
    rig.recover()
    assert phase(rig) is Phase.STUCK
    rig.host.user.kill(pid)
    rig.pass_time(1)
    assert phase(rig) is Phase.HOST
    assert rig.differences() == {}


def slow_qemu(directory: Path) -> tuple[Rig, int]:
    rig = Rig(pcs.desktop(), directory, WITH_REBOOT)
    rig.host.clock.advance(600)
    pid = rig.start()
    rig.host.libvirt.guests.clear()  # it gives up on a QEMU that it cannot kill
    rig.manager.release("win10", "failed")
    rig.queue.run_all()
    assert phase(rig) is Phase.STUCK
    return rig, pid


def test_on_stuck_reboot_waits_while_it_may_still_end(run_directory: Path) -> None:
    rig, pid = slow_qemu(run_directory)
    told = rig.status.read()["faults"][0]
    assert "if that is not over 10 minutes after it got stuck, the host is rebooted" in told
    assert "until vfiod runs again: sudo systemctl stop vfiod" in told
    rig.pass_time(PATIENCE_SECONDS - 10)
    assert "reboot" not in rig.host.effects.log
    assert any("not rebooting yet" in text for text in rig.messages(Kind.REMARK))
    rig.host.user.kill(pid)
    rig.pass_time(1)
    rig.pass_time(30)
    assert phase(rig) is Phase.HOST
    assert "reboot" not in rig.host.effects.log


def test_on_stuck_reboot_does_not_wait_for_ever(run_directory: Path) -> None:
    rig, _ = slow_qemu(run_directory)
    rig.pass_time(PATIENCE_SECONDS + 10)
    assert rig.host.effects.log[-1] == "reboot"


def test_on_stuck_reboot_outlives_a_restart_of_the_daemon(run_directory: Path) -> None:
    rig = Rig(pcs.desktop(), run_directory, WITH_REBOOT)
    rig.host.clock.advance(600)
    pid = rig.start()
    spoil(rig, f"probe {pcs.VGA}", Fault.HANG)
    rig.end_guest(pid)
    assert rig.recover() is None
    rig.pass_time(PATIENCE_SECONDS - 10)
    assert "reboot" not in rig.host.effects.log
    rig.pass_time(20)
    assert rig.host.effects.log[-1] == "reboot"


# Starts that nobody waits for


def test_a_start_whose_caller_is_gone_is_not_carried_out(rig: Rig) -> None:
    future = rig.manager.prepare("win10", pcs.xml())
    rig.manager.give_up(future)
    rig.queue.run_all()
    assert future.cancelled()
    assert rig.host.effects.log == []


def test_a_start_that_libvirt_released_while_it_was_queued_is_not_carried_out(
    rig: Rig,
) -> None:
    pid = rig.start()
    rig.host.user.kill(pid)
    rig.manager.release("win10", "shutdown")
    future = rig.manager.prepare("win10", pcs.xml())
    rig.manager.release("win10", "failed")
    rig.queue.run_all()
    assert future.cancelled()
    assert phase(rig) is Phase.HOST
    assert rig.differences() == {}
    assert rig.prepare() is None


@pytest.mark.parametrize("moment", ["stop lightdm.service", "journal begin", "inhibit"])
def test_a_start_that_is_given_up_in_the_middle_is_undone(rig: Rig, moment: str) -> None:
    future = rig.manager.prepare("win10", pcs.xml())

    def watch(name: str) -> None:
        if name == moment:
            rig.manager.give_up(future)

    rig.host.effects.barrier = watch
    rig.queue.run_all()
    assert isinstance(future.exception(), Busy)
    assert "gave its start up" in str(future.exception())
    assert rig.differences() == {}


def test_a_start_that_is_given_up_in_the_last_moment_is_taken_back_in_its_time(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """libvirt died: no release comes."""
    require_wanted = Start.require_wanted

    def give_up(start: Start) -> None:
        if phase(rig) is Phase.PREPARED:
            start.given_up = start.given_up or "too late"
        require_wanted(start)

    monkeypatch.setattr(Start, "require_wanted", give_up)
    assert isinstance(rig.prepare(), Busy)
    assert phase(rig) is Phase.PREPARED
    rig.pass_time(61)
    assert rig.differences() == {}


def test_after_the_end_is_asked_for_nothing_queued_is_begun(rig: Rig) -> None:
    pid = rig.start()
    rig.host.user.kill(pid)
    rig.host.libvirt.clean_up()
    rig.manager.release("win10", "shutdown")
    queued = rig.manager.prepare("win10", pcs.xml())
    log = len(rig.host.effects.log)
    last = rig.manager.tasks.close()
    rig.queue.run_all()
    assert last.done()
    assert queued.cancelled()
    assert rig.manager.prepare("win10", pcs.xml()).cancelled()
    again = rig.manager.tasks.close()
    assert not again.done()
    assert rig.host.effects.log[log:] == []
    assert phase(rig) is Phase.RETURN
    assert rig.recover() is None
    assert rig.differences() == {}
    assert VFIO_DRIVER not in {rig.host.pci.driver(a) for a in pcs.DEVICES}


def test_what_an_earlier_handoff_was_stuck_on_is_waited_for_by_the_next(rig: Rig) -> None:
    """The first one came home another way, while the call still hung."""
    pid = rig.start()
    spoil(rig, f"probe {pcs.VGA}", Fault.HANG)
    rig.end_guest(pid)
    assert phase(rig) is Phase.STUCK
    rig.journal.update(lambda record: replace(record, transaction="another"))
    record = rig.journal.read()
    assert record is not None
    assert rig.manager.retrying.watch(record, record.stuck).waits
    rig.host.effects.thaw()
    rig.pass_time(60)
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}
