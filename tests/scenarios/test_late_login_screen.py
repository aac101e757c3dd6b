"""A login screen that comes after the return got stuck for it: that is noticed, and no more."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.rig import Rig
from tests.fakes.userspace import FakeUnit, Program
from tests.scenarios.test_login_screen import ALICE, DM, gdm, starts, text_greeter
from tests.scenarios.test_two_cards import OWN
from vfiod.events import Kind
from vfiod.handoff.recovery.aftercare import SETTLE_SECONDS
from vfiod.model import Phase

GDM = "gdm.service"
NOTICED = "once a login screen is there, however it comes, vfiod sees it and this is over"


def stuck(directory: Path) -> Rig:
    """X has failed for a monitor that was off; nothing else is left."""
    rig = Rig(pcs.greeter(), directory)
    pid = rig.start()
    rig.host.kernel.devices[pcs.VGA].monitor = False
    rig.host.user.units[DM].lasts = 0.5
    rig.end_guest(pid)
    rig.pass_time(100)
    assert rig.phase is Phase.STUCK
    return rig


def set_right(rig: Rig) -> None:
    """By hand."""
    rig.host.kernel.devices[pcs.VGA].monitor = True
    rig.host.user.units[DM].lasts = None
    rig.host.user.stop(DM)
    rig.type(f"sudo systemctl start {DM}")


def is_over(rig: Rig, log: int) -> None:
    """It was told, and nothing was started or ended for it."""
    told = len(rig.messages(Kind.RETURN_COMPLETE))
    rig.pass_time(2 * SETTLE_SECONDS + 1)
    assert rig.phase is Phase.HOST
    assert len(rig.messages(Kind.RETURN_COMPLETE)) == told + 1
    rig.pass_time(700)
    assert [name for name in rig.host.effects.log[log:] if not name.startswith("journal")] == []
    assert list(rig.path.parent.iterdir()) == []
    assert len(rig.messages(Kind.RETURN_COMPLETE)) == told + 1


def test_who_has_set_it_right_by_hand_need_not_say_so(run_directory: Path) -> None:
    rig = stuck(run_directory)
    (fault,) = rig.status.read()["faults"]
    assert NOTICED in fault
    assert "does not go on by itself" not in fault
    rig.pass_time(3600)
    assert rig.phase is Phase.STUCK
    set_right(rig)
    rig.host.user.log_in(ALICE, Program("gnome-shell", (pcs.VGA,), uid=1000))
    is_over(rig, len(rig.host.effects.log))
    assert f"{DM} shows a login screen or a desktop by now" in rig.messages(Kind.RETURN_BEGUN)[-1]
    assert any(p.program.command == "gnome-shell" for p in rig.host.user.processes.values())
    assert rig.prepare() is None


def test_a_greeter_that_takes_longer_than_was_waited_is_noticed(run_directory: Path) -> None:
    rig = Rig(gdm(hesitates=70.0), run_directory)
    rig.host.clock.advance(100)
    rig.end_guest(rig.start())
    rig.pass_time(1000)
    assert rig.messages(Kind.STUCK)
    assert starts(rig, GDM) == 2
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_whoever_works_on_a_desktop_of_their_own_has_a_display(run_directory: Path) -> None:
    """By startx, say: the display manager does not run, and is not started over it."""
    rig = stuck(run_directory)
    rig.host.user.stop(DM)
    rig.host.user.log_in(ALICE, Program("Xorg", (pcs.VGA,), uid=1000))
    is_over(rig, len(rig.host.effects.log))
    assert not rig.host.units.unit(DM).active


def test_a_monitor_that_is_plugged_into_another_card_is_noticed(run_directory: Path) -> None:
    host = gdm()
    own = replace(host.kernel.function(pcs.VGA), address=OWN, group=20, boot_vga=False)
    card = replace(host.kernel.device(pcs.VGA), function=own, monitor=False, nodes=())
    host.kernel.add(card, "amdgpu")
    rig = Rig(host, run_directory)
    pid = rig.start()
    host.user.units[GDM].programs = (Program("gdm"),)
    rig.end_guest(pid)
    rig.pass_time(300)
    assert rig.phase is Phase.STUCK
    host.user.units[GDM].programs = (Program("gdm"), Program("greeter", (OWN,), uid=105))
    host.user.stop(GDM)
    host.user.start(GDM)
    card.monitor = True
    is_over(rig, len(host.effects.log))


def test_one_of_text_is_there_once_it_runs_for_a_while(run_directory: Path) -> None:
    rig = Rig(text_greeter(pcs.bare()), run_directory)
    pid = rig.start()
    rig.host.user.units["ly.service"].lasts = 1.0
    rig.end_guest(pid)
    rig.pass_time(100)
    rig.host.user.units["ly.service"].lasts = None
    rig.host.user.stop("ly.service")
    rig.pass_time(60)
    rig.host.user.start("ly.service")
    rig.pass_time(10)
    assert rig.messages(Kind.RETURN_COMPLETE)[1:] == []
    rig.pass_time(30)
    assert rig.status.phase()[0] is Phase.HOST
    assert starts(rig, "ly.service") == 2


def test_login_screens_that_take_turns_are_none(run_directory: Path) -> None:
    rig = stuck(run_directory)
    host = rig.host
    host.user.units[DM].lasts = None
    host.user.units[DM].programs = (
        Program("lightdm"), Program("greeter", (pcs.VGA,), uid=105, lasts=2.0, respawn=0.1),
    )  # fmt: skip
    host.user.stop(DM)
    host.user.start(DM)
    rig.pass_time(700)
    assert rig.phase is Phase.STUCK
    assert starts(rig) == 2


def test_other_programs_on_the_card_are_not_noticed(run_directory: Path) -> None:
    rig = stuck(run_directory)
    rig.host.user.add(FakeUnit("lactd.service", (Program("lact", (pcs.VGA,)),)))
    rig.host.user.start("lactd.service")
    rig.pass_time(60)
    assert rig.phase is Phase.STUCK


# Who else has to do with it


def test_a_daemon_that_is_started_anew_looks_as_well(run_directory: Path) -> None:
    rig = stuck(run_directory)
    assert rig.recover() is not None  # which starts it once more, in vain
    assert rig.phase is Phase.STUCK
    rig.pass_time(100)
    set_right(rig)
    is_over(rig, len(rig.host.effects.log))


def test_so_does_one_that_waits_for_something_else(run_directory: Path) -> None:
    rig = stuck(run_directory)
    rig.journal.update(lambda record: replace(record, units=("late.service",)))
    rig.host.user.add(FakeUnit("late.service", active=False, is_starting=True))
    assert rig.recover() is None
    set_right(rig)
    is_over(rig, len(rig.host.effects.log))


@pytest.mark.parametrize("fault", [Fault.KILL_BEFORE, Fault.KILL_AFTER])
@pytest.mark.parametrize("number", range(1, 5))
def test_a_daemon_that_is_killed_while_it_notices(
    run_directory: Path, fault: Fault, number: int
) -> None:
    rig = stuck(run_directory)
    set_right(rig)
    log = len(rig.host.effects.log)
    rig.host.effects.plan({number: fault})
    rig.pass_time(30)
    if rig.host.effects.is_dead:
        assert rig.recover() is None
    rig.pass_time(60)
    assert rig.phase is Phase.HOST
    assert f"start {DM}" not in rig.host.effects.log[log:]
    assert f"stop {DM}" not in rig.host.effects.log[log:]
    assert rig.differences() == {}


def test_a_full_run_puts_it_off(run_directory: Path) -> None:
    rig = stuck(run_directory)
    set_right(rig)
    rig.host.effects.plan({1: Fault.FAIL_BEFORE})
    rig.pass_time(60)
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_a_return_that_was_asked_for_ends_the_looking(run_directory: Path) -> None:
    rig = stuck(run_directory)
    set_right(rig)
    assert rig.return_devices() is None
    pid = rig.start()
    log = len(rig.host.effects.log)
    rig.pass_time(300)
    assert rig.phase is Phase.GUEST
    assert rig.host.effects.log[log:] == []
    rig.end_guest(pid)
    assert rig.differences() == {}


def test_one_that_gets_stuck_anew_is_looked_at_anew(run_directory: Path) -> None:
    rig = stuck(run_directory)
    assert rig.return_devices() is not None
    rig.pass_time(100)
    set_right(rig)
    is_over(rig, len(rig.host.effects.log))


def test_a_journal_that_is_cleared_ends_the_looking(run_directory: Path) -> None:
    rig = stuck(run_directory)
    rig.journal.clear()
    events = len(rig.events)
    set_right(rig)
    rig.pass_time(60)
    assert rig.events[events:] == []


def test_while_a_device_is_missing_as_well_it_stays_stuck(run_directory: Path) -> None:
    rig = Rig(pcs.greeter(), run_directory)
    pid = rig.start()
    rig.host.kernel.drivers["xhci_hcd"].refuses = True
    rig.host.user.units[DM].lasts = 1.0
    rig.end_guest(pid)
    rig.pass_time(100)
    (fault,) = rig.status.read()["faults"]
    assert NOTICED not in fault
    set_right(rig)
    rig.pass_time(60)
    assert rig.phase is Phase.STUCK


# Remedies for another device


@pytest.mark.parametrize("is_forced", [False, True])
def test_what_is_tried_for_another_device_does_not_start_it_anew_each_time(
    *, run_directory: Path, is_forced: bool
) -> None:
    rig = Rig(gdm(), run_directory)
    pid = rig.start()
    rig.host.kernel.drivers["xhci_hcd"].refuses = True
    rig.host.user.units[GDM].programs = (Program("gdm"),)
    rig.end_guest(pid)
    rig.pass_time(300)
    began, before, tried = rig.host.now(), starts(rig, GDM), len(rig.messages(Kind.REMEDY))
    assert rig.return_devices(force=is_forced) is not None
    assert starts(rig, GDM) - before == 1
    assert rig.host.now() - began < 130
    assert (len(rig.messages(Kind.REMEDY)) - tried > 3) is is_forced
    (fault,) = rig.status.read()["faults"]
    assert fault.startswith("there is no login screen: gdm.service shows none")
    assert "it was started anew and runs" in fault
    assert f"give {pcs.USB} back" in fault


def test_a_remedy_for_its_own_card_does(run_directory: Path) -> None:
    """It may be for that that nothing came of it."""
    rig = stuck(run_directory)
    card = rig.host.kernel.devices[pcs.VGA]
    seen: list[str] = []

    def wipe(name: str) -> None:
        if name == f"start {DM}" and not seen:
            seen.append(name)
            card.wiped = True

    rig.host.effects.barrier = wipe
    rig.host.user.units[DM].lasts = 0.5
    before = starts(rig)
    assert rig.return_devices(force=True) is not None
    assert not card.wiped
    assert starts(rig) - before == 2
