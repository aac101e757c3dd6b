"""Late is not hung: what takes its time is waited for, watched, and gone on with by itself."""

from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import LATENESS, Fault
from tests.fakes.rig import Bench
from vfiod.errors import Busy, HostError, KernelStuck, Stuck
from vfiod.events import Kind
from vfiod.handoff.patience import SECONDS as PATIENCE
from vfiod.handoff.retrying import PATIENCE_SECONDS, TRIES
from vfiod.model import VFIO_DRIVER, Phase

WITH_REBOOT = "on_stuck: reboot\n" + pcs.configuration()
DM = "lightdm.service"


@pytest.fixture
def bench(run_directory: Path) -> Bench:
    return Bench(pcs.desktop(), run_directory)


def spoil(bench: Bench, name: str, fault: Fault, *, times: int = 1) -> None:
    """Have the next effects of that name go wrong."""
    left = times

    def watch(now: str) -> None:
        nonlocal left
        if now == name and left:
            left -= 1
            bench.host.effects.plan({1: fault})

    bench.host.effects.barrier = watch


def phase(bench: Bench) -> Phase:
    return bench.phase


def resets(bench: Bench) -> list[str]:
    verbs = ("reset ", "rediscover ", "unload ", "sleep", "reboot")
    return [name for name in bench.host.effects.log if name.startswith(verbs)]


# Calls into the kernel


def test_a_healthy_probe_that_is_slow_needs_no_reset_and_nobody(bench: Bench) -> None:
    pid = bench.start()
    spoil(bench, f"probe {pcs.VGA}", Fault.LATE)
    bench.end_guest(pid)
    assert phase(bench) is Phase.HOST
    assert resets(bench) == []
    assert bench.host.units.unit(DM).active
    assert bench.differences() == {}


def test_a_probe_that_is_slow_and_fails_does_not_end_the_ladder(bench: Bench) -> None:
    pid = bench.start()
    bench.host.kernel.devices[pcs.VGA].cure = "reset pm"
    spoil(bench, f"probe {pcs.VGA}", Fault.LATE)
    bench.end_guest(pid)
    assert phase(bench) is Phase.HOST
    assert resets(bench) == [f"reset {pcs.VGA} pm"]
    assert bench.differences() == {}


def test_no_display_manager_is_started_on_a_card_whose_probe_is_under_way(bench: Bench) -> None:
    pid = bench.start()
    spoil(bench, f"probe {pcs.VGA}", Fault.HANG)
    bench.end_guest(pid)
    assert phase(bench) is Phase.STUCK
    assert f"start {DM}" not in bench.host.effects.log
    assert bench.host.pci.driver(pcs.VGA) == "amdgpu"
    assert resets(bench) == []


def test_what_comes_back_much_later_is_gone_on_with_by_itself(bench: Bench) -> None:
    pid = bench.start()
    spoil(bench, f"probe {pcs.VGA}", Fault.HANG)
    bench.end_guest(pid)
    assert phase(bench) is Phase.STUCK
    assert "goes on by itself" in bench.status.read()["faults"][0]
    (told,) = bench.messages(Kind.KERNEL_STUCK)
    assert str(pcs.VGA) in told
    bench.pass_time(1000)
    assert phase(bench) is Phase.STUCK
    bench.host.effects.thaw()
    bench.pass_time(1)
    assert phase(bench) is Phase.HOST
    assert "has ended after all" in bench.messages(Kind.KERNEL_ANSWERS)[0]
    assert bench.messages(Kind.RETURN_COMPLETE)
    assert bench.differences() == {}


def test_what_an_earlier_daemon_left_behind_is_watched_too(bench: Bench) -> None:
    pid = bench.start()
    spoil(bench, f"probe {pcs.VGA}", Fault.HANG)
    bench.end_guest(pid)
    bench.recover()
    assert phase(bench) is Phase.STUCK
    bench.host.effects.thaw()
    bench.pass_time(1)
    assert phase(bench) is Phase.HOST
    assert bench.differences() == {}


def test_what_comes_back_much_later_and_has_failed_climbs_the_ladder(bench: Bench) -> None:
    pid = bench.start()
    bench.host.kernel.devices[pcs.VGA].cure = "reset bus"
    spoil(bench, f"probe {pcs.VGA}", Fault.HANG)
    bench.end_guest(pid)
    assert resets(bench) == []
    bench.host.effects.thaw()
    bench.pass_time(1)
    assert f"reset {pcs.VGA} bus" in resets(bench)
    assert phase(bench) is Phase.HOST
    assert bench.differences() == {}


def test_a_late_unbind_on_the_way_out_costs_the_start_and_nothing_else(bench: Bench) -> None:
    spoil(bench, f"unbind {pcs.VGA}", Fault.LATE)
    error = bench.prepare()
    assert isinstance(error, HostError)
    assert not isinstance(error, Stuck)
    assert f"did not finish unbind {pcs.VGA}" in str(error)
    assert bench.differences() == {}


def test_a_call_that_is_late_again_and_again_is_not_asked_for_ever(bench: Bench) -> None:
    pid = bench.start()
    spoil(bench, f"probe {pcs.USB}", Fault.HANG, times=100)
    bench.end_guest(pid)
    bench.host.kernel.drivers["xhci_hcd"].refuses = True
    for _ in range(3 * TRIES):
        bench.host.effects.thaw()
        bench.pass_time(1)
    assert len(bench.messages(Kind.RETURN_BEGUN)) == 1 + TRIES
    assert "to try again, run: vfiod return" in bench.messages(Kind.REMARK)[-1]


def test_a_console_whose_unbind_hangs_does_not_hang_the_way_back(bench: Bench) -> None:
    spoil(bench, "console vtcon1 False", Fault.HANG)
    error = bench.prepare()
    assert isinstance(error, Stuck)
    assert "still busy with vtcon1" in str(error)
    assert bench.host.units.unit(DM).active
    bench.host.effects.thaw()
    bench.pass_time(1)
    assert phase(bench) is Phase.HOST
    assert bench.differences() == {}


def test_the_patience_of_the_recovery_is_bounded(bench: Bench) -> None:
    pid = bench.start()
    spoil(bench, f"unbind {pcs.USB}", Fault.HANG)
    began = bench.host.now()
    bench.end_guest(pid)
    assert phase(bench) is Phase.STUCK
    assert bench.host.now() - began < 2 * PATIENCE
    assert PATIENCE > LATENESS


# Programs


def test_a_modprobe_that_hangs_is_named_and_the_rest_comes_back(run_directory: Path) -> None:
    bench = Bench(pcs.nvidia(), run_directory)
    spoil(bench, "unload nvidia_drm", Fault.HANG)
    error = bench.prepare()
    assert isinstance(error, Stuck)
    assert "the kernel is still busy with module nvidia_drm" in str(error)
    with pytest.raises(KernelStuck):
        bench.host.modules.load("nvidia_drm", seconds=1)
    bench.host.modules.load("vfio_pci", seconds=1)
    bench.host.effects.thaw()
    bench.pass_time(1)
    assert phase(bench) is Phase.HOST
    assert bench.differences() == {}


# Units


def test_a_display_manager_whose_start_is_slow_is_waited_for(bench: Bench) -> None:
    pid = bench.start()
    bench.host.user.units[DM].start_takes = 21
    bench.end_guest(pid)
    assert phase(bench) is Phase.HOST
    assert bench.differences() == {}


def test_a_display_manager_whose_start_is_very_late_ends_the_stuck_state(bench: Bench) -> None:
    pid = bench.start()
    bench.host.user.units[DM].start_takes = 90
    bench.end_guest(pid)
    assert phase(bench) is Phase.STUCK
    for _ in range(20):
        bench.pass_time(5)
    assert phase(bench) is Phase.HOST
    assert bench.differences() == {}


# QEMU


def test_a_qemu_that_dies_slowly_is_the_retry(bench: Bench) -> None:
    pid = bench.start()
    bench.host.libvirt.guests.clear()  # it gives up on a QEMU that it cannot kill
    bench.manager.release("win10", "failed")
    bench.queue.run_all()
    assert phase(bench) is Phase.STUCK
    bench.pass_time(130)
    assert phase(bench) is Phase.STUCK
    bench.host.user.kill(pid)
    bench.pass_time(1)
    assert phase(bench) is Phase.HOST
    assert f"qemu (pid {pid}) has ended" in bench.messages(Kind.RETURN_BEGUN)[-1]
    assert bench.differences() == {}


def test_a_qemu_that_dies_slowly_is_the_retry_after_a_restart_too(bench: Bench) -> None:
    pid = bench.start()
    bench.host.libvirt.guests.clear()  # it gives up on a QEMU that it cannot kill
    bench.manager.release("win10", "failed")
    bench.queue.run_all()
    bench.recover()
    assert phase(bench) is Phase.STUCK
    bench.host.user.kill(pid)
    bench.pass_time(1)
    assert phase(bench) is Phase.HOST
    assert bench.differences() == {}


def slow_qemu(directory: Path) -> tuple[Bench, int]:
    bench = Bench(pcs.desktop(), directory, WITH_REBOOT)
    bench.host.clock.advance(600)
    pid = bench.start()
    bench.host.libvirt.guests.clear()  # it gives up on a QEMU that it cannot kill
    bench.manager.release("win10", "failed")
    bench.queue.run_all()
    assert phase(bench) is Phase.STUCK
    return bench, pid


def test_on_stuck_reboot_waits_while_it_may_still_end(run_directory: Path) -> None:
    bench, pid = slow_qemu(run_directory)
    bench.pass_time(PATIENCE_SECONDS - 10)
    assert "reboot" not in bench.host.effects.log
    assert any("not rebooting yet" in text for text in bench.messages(Kind.REMARK))
    bench.host.user.kill(pid)
    bench.pass_time(1)
    bench.pass_time(30)
    assert phase(bench) is Phase.HOST
    assert "reboot" not in bench.host.effects.log


def test_on_stuck_reboot_does_not_wait_for_ever(run_directory: Path) -> None:
    bench, _ = slow_qemu(run_directory)
    bench.pass_time(PATIENCE_SECONDS + 10)
    assert bench.host.effects.log[-1] == "reboot"


# Starts that nobody waits for


def test_a_start_whose_caller_is_gone_is_not_carried_out(bench: Bench) -> None:
    future = bench.manager.prepare("win10", pcs.xml())
    bench.manager.give_up(future)
    bench.queue.run_all()
    assert future.cancelled()
    assert bench.host.effects.log == []


def test_a_start_that_libvirt_released_while_it_was_queued_is_not_carried_out(
    bench: Bench,
) -> None:
    pid = bench.start()
    bench.host.user.kill(pid)
    bench.manager.release("win10", "shutdown")
    future = bench.manager.prepare("win10", pcs.xml())
    bench.manager.release("win10", "failed")
    bench.queue.run_all()
    assert future.cancelled()
    assert phase(bench) is Phase.HOST
    assert bench.differences() == {}
    assert bench.prepare() is None


@pytest.mark.parametrize("moment", ["stop lightdm.service", "journal begin", "inhibit"])
def test_a_start_that_is_given_up_in_the_middle_is_undone(bench: Bench, moment: str) -> None:
    future = bench.manager.prepare("win10", pcs.xml())

    def watch(name: str) -> None:
        if name == moment:
            bench.manager.give_up(future)

    bench.host.effects.barrier = watch
    bench.queue.run_all()
    assert isinstance(future.exception(), Busy)
    assert "gave its start up" in str(future.exception())
    assert bench.differences() == {}


def test_after_the_end_is_asked_for_nothing_queued_is_begun(bench: Bench) -> None:
    pid = bench.start()
    bench.host.user.kill(pid)
    bench.manager.release("win10", "shutdown")
    queued = bench.manager.prepare("win10", pcs.xml())
    log = len(bench.host.effects.log)
    last = bench.manager.tasks.close()
    bench.queue.run_all()
    assert last.done()
    assert queued.cancelled()
    assert bench.manager.prepare("win10", pcs.xml()).cancelled()
    again = bench.manager.tasks.close()
    assert not again.done()
    assert bench.host.effects.log[log:] == []
    assert phase(bench) is Phase.RETURN
    assert bench.recover() is None
    assert bench.differences() == {}
    assert VFIO_DRIVER not in {bench.host.pci.driver(a) for a in pcs.DEVICES}
