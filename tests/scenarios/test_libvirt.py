"""A return beside libvirt's own clean-up, which resets what is not with vfio-pci."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from tests.fakes.rig import Rig
from tests.fakes.userspace import Program
from vfiod.events import Kind
from vfiod.handoff.recovery.aftercare import CONFIRM_SECONDS, SETTLE_SECONDS
from vfiod.model import Phase, Session

FOUND_SECONDS = SETTLE_SECONDS + CONFIRM_SECONDS


@pytest.fixture
def rig(run_directory: Path) -> Rig:
    return Rig(pcs.greeter(), run_directory)


def lose_guest(rig: Rig) -> None:
    """QEMU ends, and vfiod hears of it before libvirt does."""
    pid = rig.start()
    rig.host.user.kill(pid)
    rig.watcher.look()
    rig.queue.run_all()


def test_the_end_of_qemu_touches_no_device_before_libvirt_is_done(rig: Rig) -> None:
    lose_guest(rig)
    assert rig.host.libvirt.guests == {}
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_a_libvirt_that_is_down_is_started_before_a_device_is_touched(rig: Rig) -> None:
    rig.host.libvirt.runs = False
    lose_guest(rig)
    log = rig.host.effects.log
    assert log.index("wake libvirt") < log.index(f"override {pcs.USB} xhci_hcd")
    assert rig.differences() == {}


def test_a_daemon_restarted_after_the_guest_ended_waits_too(rig: Rig) -> None:
    pid = rig.start()
    rig.host.user.kill(pid)
    assert rig.recover() is None
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_what_touches_no_device_is_undone_meanwhile(run_directory: Path) -> None:
    host = pcs.tuned()
    rig = Rig(host, run_directory)
    lose_guest(rig)
    log = host.effects.log
    slices = max(i for i, name in enumerate(log) if "system.slice" in name)
    assert slices < log.index(f"override {pcs.USB} xhci_hcd")
    assert rig.differences() == {}


def test_a_libvirt_that_stays_away_is_told_and_does_not_hold_the_display(rig: Rig) -> None:
    rig.host.libvirt.hangs = True
    lose_guest(rig)
    assert rig.phase is Phase.HOST
    assert "going on without it" in rig.messages(Kind.REMARK)[-1]
    assert rig.host.units.unit("lightdm.service").active


def test_a_card_that_a_late_libvirt_wipes_is_taken_back_once_more(rig: Rig) -> None:
    rig.host.libvirt.hangs = True
    lose_guest(rig)
    rig.pass_time(60)
    rig.host.libvirt.wake()
    rig.pass_time(60)
    assert rig.host.libvirt.guests == {}
    assert f"no answer any more from {pcs.USB}: it has" in rig.messages(Kind.STEP_FAILED)[0]
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_what_was_home_before_the_login_screen_was_is_looked_after_too(rig: Rig) -> None:
    """The display manager's start is very late: what is left to undo then is that alone."""
    rig.host.libvirt.hangs = True
    rig.host.user.units["lightdm.service"].start_takes = 90
    lose_guest(rig)
    for _ in range(20):
        rig.pass_time(5)
    assert rig.phase is Phase.HOST
    rig.host.user.units["lightdm.service"].start_takes = 0
    rig.host.libvirt.wake()
    rig.pass_time(60)
    assert rig.host.libvirt.guests == {}
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


@pytest.mark.parametrize("restarts", [1, 2])
def test_a_card_that_a_late_libvirt_wipes_after_a_restart_of_the_daemon(
    rig: Rig, restarts: int
) -> None:
    rig.host.libvirt.hangs = True
    lose_guest(rig)
    for _ in range(restarts):
        rig.pass_time(10)
        assert rig.recover() is None
    rig.host.libvirt.wake()
    rig.pass_time(60)
    assert rig.host.libvirt.guests == {}
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_what_is_well_is_not_looked_at_by_the_next_daemon(rig: Rig) -> None:
    lose_guest(rig)
    assert [path.name for path in rig.path.parent.iterdir()] == ["returned.json"]
    rig.pass_time(2 * SETTLE_SECONDS)  # a login screen is to be seen twice
    assert list(rig.path.parent.iterdir()) == []
    rig.recover()
    rig.host.kernel.reset_bus(pcs.VGA)
    log = len(rig.host.effects.log)
    rig.pass_time(60)
    assert rig.host.effects.log[log:] == []


def test_a_full_run_does_not_keep_anybody_from_looking(rig: Rig) -> None:
    (rig.path.parent / "returned.json").mkdir()
    lose_guest(rig)
    rig.host.kernel.reset_bus(pcs.VGA)
    rig.pass_time(FOUND_SECONDS)
    assert rig.phase is Phase.HOST
    assert rig.host.kernel.devices[pcs.VGA].wiped is False


def test_a_card_wiped_by_somebody_else_right_after_the_return_is_seen(rig: Rig) -> None:
    lose_guest(rig)
    rig.host.kernel.reset_bus(pcs.VGA)
    rig.pass_time(FOUND_SECONDS)
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_a_wiped_card_that_cannot_be_revived_is_stuck_and_named(rig: Rig) -> None:
    lose_guest(rig)
    rig.host.kernel.reset_bus(pcs.VGA)
    rig.host.kernel.devices[pcs.VGA].cure = "nothing"
    rig.pass_time(FOUND_SECONDS)
    assert rig.phase is Phase.STUCK
    assert str(pcs.VGA) in rig.status.read()["faults"][0]


def test_a_card_that_is_well_is_left_alone(rig: Rig) -> None:
    lose_guest(rig)
    log = len(rig.host.effects.log)
    rig.pass_time(60)
    assert rig.host.effects.log[log:] == []


def test_a_guest_started_meanwhile_is_not_looked_after(rig: Rig) -> None:
    lose_guest(rig)
    rig.start()
    log = len(rig.host.effects.log)
    rig.pass_time(SETTLE_SECONDS)
    assert rig.host.effects.log[log:] == []
    assert list(rig.path.parent.iterdir()) == [rig.path]
    assert rig.phase is Phase.GUEST


# Whoever uses what is taken back once more

ALICE = Session("9", "alice", 1000, "seat0", "user", graphical=True, unit="session-9.scope")


def late_libvirt(pc: FakeHost, directory: Path, *programs: Program) -> Rig:
    """The return went on without libvirt, and somebody has logged in since."""
    rig = Rig(pc, directory)
    rig.host.libvirt.hangs = True
    lose_guest(rig)
    rig.pass_time(30)
    rig.host.user.log_in(ALICE, *programs)
    return rig


def test_nobody_s_desktop_ends_for_a_usb_controller(run_directory: Path) -> None:
    rig = late_libvirt(pcs.greeter(), run_directory, Program("gnome-shell", (pcs.VGA,), uid=1000))
    log = len(rig.host.effects.log)
    rig.host.kernel.devices[pcs.USB].wiped = True
    rig.pass_time(FOUND_SECONDS)
    assert rig.phase is Phase.HOST
    assert not rig.host.kernel.devices[pcs.USB].wiped
    done = rig.host.effects.log[log:]
    assert not [name for name in done if name.startswith(("stop", "signal", "start"))]
    assert not [name for name in done if str(pcs.VGA) in name]
    rig.host.libvirt.wake()
    rig.pass_time(60)
    assert not rig.host.kernel.devices[pcs.VGA].wiped


@pytest.mark.parametrize("pc", [pcs.greeter, pcs.nvidia])
def test_a_compositor_that_outlives_the_display_manager_is_ended_before_its_card_is_reset(
    run_directory: Path, pc: Callable[[], FakeHost]
) -> None:
    rig = late_libvirt(pc(), run_directory, Program("kwin_wayland", (pcs.VGA,), uid=1000))
    rig.host.libvirt.wake()
    rig.pass_time(60)
    assert rig.phase is Phase.HOST
    assert rig.host.kernel.mishaps == []
    assert any("SIGTERM sent: kwin_wayland" in text for text in rig.messages(Kind.REMARK))
    assert rig.host.units.unit("lightdm.service").active


@pytest.mark.parametrize(("text", "signals"), [("", ["SIGTERM"]), ("holders: 30", [])])
def test_who_uses_a_card_that_is_dead_has_the_time_that_is_configured(
    run_directory: Path, text: str, signals: list[str]
) -> None:
    rig = late_libvirt(pcs.greeter(), run_directory, Program("kwin_wayland", (pcs.VGA,), uid=1000))
    rig.text = f"limits: {{{text}}}\n{pcs.configuration()}"
    (pid,) = [p for p, at in rig.host.user.processes.items() if at.program.command[:4] == "kwin"]

    def close(name: str) -> None:
        """Twenty seconds after the display manager has gone."""
        if name == "stop lightdm.service":
            rig.host.clock.after(20, lambda: rig.host.user.kill(pid))

    rig.host.effects.barrier = close
    rig.host.libvirt.wake()
    rig.pass_time(60)
    assert rig.phase is Phase.HOST
    told = [text.split()[0] for text in rig.messages(Kind.REMARK) if "sent: kwin" in text]
    assert told == signals


def test_a_driver_that_waits_for_who_has_the_card_open_is_not_unbound_under_it(
    run_directory: Path,
) -> None:
    stubborn = Program("wedged", (pcs.VGA,), uid=1000, ignores=frozenset({9, 15}))
    rig = late_libvirt(pcs.nvidia(), run_directory, stubborn)
    log = len(rig.host.effects.log)
    rig.host.libvirt.wake()
    rig.pass_time(60)
    assert rig.phase is Phase.STUCK
    assert f"unbind {pcs.VGA}" not in rig.host.effects.log[log:]
    (text,) = rig.messages(Kind.STUCK)
    first, *others = text.splitlines()
    assert first == f"the screen of {pcs.VGA} is dark: the host does not have it back"
    (left_out,) = [line for line in others if line.startswith("not tried: ")]
    assert f"reset {pcs.VGA} (pm)" in left_out
    assert f"{pcs.VGA} is still held by wedged" in left_out
    assert "1. end what holds it: wedged" in text
    assert len(others) == len(set(others))
    steps = [(entry["step"], entry["device"]) for entry in rig.status.read()["journal"]]
    assert len(steps) == len(set(steps))
    assert rig.host.kernel.mishaps == []


def test_who_has_logged_in_by_a_getty_is_no_reason_to_stay_dark(run_directory: Path) -> None:
    rig = Rig(pcs.autologin(), run_directory)
    rig.host.libvirt.hangs = True
    lose_guest(rig)
    rig.pass_time(30)
    rig.host.libvirt.wake()
    rig.pass_time(60)
    assert rig.phase is Phase.HOST
    assert not rig.host.kernel.devices[pcs.VGA].wiped


# A screen that is not seen


def test_screens_that_are_not_seen_are_asked_for(rig: Rig) -> None:
    device = rig.host.kernel.devices[pcs.VGA]
    pid = rig.start()
    device.monitor, device.wakes_on_detect = False, True
    rig.end_guest(pid)
    assert device.monitor
    assert "had to be asked again" in rig.messages(Kind.REMARK)[-1]
    runs = rig.host.user.units["lightdm.service"].runs
    rig.pass_time(60)
    assert rig.host.user.units["lightdm.service"].runs == runs


def test_the_display_manager_is_started_anew_once_where_no_screen_is_seen(rig: Rig) -> None:
    pid = rig.start()
    rig.host.kernel.devices[pcs.VGA].monitor = False
    rig.end_guest(pid)
    runs = rig.host.user.units["lightdm.service"].runs
    rig.pass_time(60)
    assert rig.host.user.units["lightdm.service"].runs == runs + 1
    rig.pass_time(600)
    assert rig.host.user.units["lightdm.service"].runs == runs + 1
    assert "sees no screen where one was before" in rig.messages(Kind.REMARK)[-1]
    rig.host.kernel.devices[pcs.VGA].monitor = True
    assert rig.differences() == {}


def test_a_card_that_is_wiped_before_the_login_screen_is_started_is_taken_back_once_more(
    rig: Rig,
) -> None:
    pid = rig.start()
    wiped: list[str] = []

    def wipe(name: str) -> None:
        """After the display has come back, and before the display manager starts."""
        if name.startswith(f"power {pcs.VGA} ") and not wiped:
            wiped.append(name)
            rig.host.kernel.reset_bus(pcs.VGA)

    rig.host.effects.barrier = wipe
    rig.end_guest(pid)
    assert wiped
    assert rig.phase is Phase.HOST
    assert rig.host.units.unit("lightdm.service").active
    assert rig.differences() == {}


def test_a_screen_that_goes_dark_later_is_no_reason_to_start_the_desktop_anew(rig: Rig) -> None:
    """Somebody may have logged in by then, and libvirt be watched for minutes."""
    rig.host.libvirt.hangs = True
    lose_guest(rig)
    rig.pass_time(60)
    runs = rig.host.user.units["lightdm.service"].runs
    rig.host.kernel.devices[pcs.VGA].monitor = False
    rig.pass_time(60)
    assert rig.host.user.units["lightdm.service"].runs == runs


def test_a_desktop_of_somebody_is_not_started_anew(rig: Rig) -> None:
    pid = rig.start()
    rig.host.kernel.devices[pcs.VGA].monitor = False
    rig.end_guest(pid)
    rig.host.user.log_in(ALICE)
    runs = rig.host.user.units["lightdm.service"].runs
    rig.pass_time(60)
    assert rig.host.user.units["lightdm.service"].runs == runs


def test_a_libvirt_that_is_late_is_watched_beside_a_dark_screen(rig: Rig) -> None:
    pid = rig.start()
    rig.host.kernel.devices[pcs.VGA].monitor = False
    rig.host.libvirt.hangs = True
    rig.host.user.kill(pid)
    rig.watcher.look()
    rig.queue.run_all()
    rig.pass_time(60)
    rig.host.libvirt.wake()
    rig.pass_time(60)
    assert not rig.host.kernel.devices[pcs.VGA].wiped


def test_a_display_manager_that_does_not_start_anew_is_told(rig: Rig) -> None:
    pid = rig.start()
    rig.host.kernel.devices[pcs.VGA].monitor = False
    rig.end_guest(pid)
    rig.host.user.units["lightdm.service"].start_fails = True
    rig.pass_time(60)
    assert rig.phase is Phase.STUCK
    (fault,) = rig.status.read()["faults"]
    assert fault.startswith("there is no login screen: lightdm.service shows none")
    assert "StartUnit lightdm.service ended as failed" in fault
