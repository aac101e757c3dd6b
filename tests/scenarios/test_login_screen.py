"""A display manager that was started after a guest, and of which no login screen comes."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.host import FakeHost
from tests.fakes.rig import Rig
from tests.fakes.userspace import FakeUnit, Program
from tests.scenarios.test_two_cards import OWN
from vfiod.cli.verbs.return_devices import _nothing
from vfiod.cli.verbs.status import as_text
from vfiod.errors import HostError
from vfiod.events import Kind
from vfiod.handoff.recovery.aftercare import SETTLE_SECONDS
from vfiod.handoff.steps.displaymanager import GREETER_SECONDS
from vfiod.model import Holder, PciAddress, Phase, Session

ALICE = Session("9", "alice", 1000, "seat0", "user", graphical=True, unit="session-9.scope")
DM = "lightdm.service"


def gdm(host: FakeHost | None = None, **greeter: float) -> FakeHost:
    """A display manager that runs on while its greeter comes and goes."""
    host = host or pcs.bare()
    greets = replace(Program("greeter", (pcs.VGA,), uid=105, respawn=0.1), **greeter)  # type: ignore[arg-type]
    programs = (Program("gdm"), greets)
    host.user.add(FakeUnit("gdm.service", programs, aliases=("display-manager.service",)))
    return host


def returned(directory: Path, host: FakeHost | None = None) -> Rig:
    """A guest has had the card and has ended."""
    rig = Rig(host or pcs.greeter(), directory)
    rig.end_guest(rig.start())
    return rig


def starts(rig: Rig, unit: str = DM) -> int:
    """How often vfiod has started it."""
    return rig.host.effects.log.count(f"start {unit}")


def mends_at_the_second_start(rig: Rig) -> None:
    """It failed at first only."""
    user = rig.host.user

    def recover(name: str) -> None:
        if name == f"start {DM}" and starts(rig):
            user.units[DM].lasts = None

    rig.host.effects.barrier = recover


def is_well(rig: Rig, unit: str = DM) -> None:
    """There is a login screen, and nothing more is done about it."""
    log = len(rig.host.effects.log)
    rig.pass_time(600)
    assert rig.phase is Phase.HOST
    assert rig.host.units.unit(unit).active
    assert rig.host.processes.holders([pcs.VGA])
    assert rig.host.effects.log[log:] == []
    assert list(rig.path.parent.iterdir()) == []


# One that ends with its login screen, and is started by systemd until its start limit


@pytest.mark.parametrize("lasts", [0.0, 1.0, 2.5])
def test_one_that_ends_is_started_anew_once_and_then_told(
    run_directory: Path, lasts: float
) -> None:
    host = pcs.greeter()
    rig = Rig(host, run_directory)
    pid = rig.start()
    host.user.units[DM].lasts = lasts
    rig.end_guest(pid)
    assert rig.messages(Kind.RETURN_COMPLETE)
    rig.pass_time(700)
    assert rig.phase is Phase.STUCK
    assert starts(rig) == 2
    (fault,) = rig.status.read()["faults"]
    assert fault.startswith(f"there is no login screen: {DM} shows none\n")
    for words in ("could not start the display manager", "text console", f"journalctl -b -u {DM}",
                  "sudo vfiod return"):  # fmt: skip
        assert words in fault
    host.user.units[DM].lasts = None
    assert rig.return_devices() is None
    assert rig.differences() == {}
    is_well(rig)


def test_one_that_only_failed_at_first_is_no_matter(run_directory: Path) -> None:
    host = pcs.greeter()
    rig = Rig(host, run_directory)
    pid = rig.start()
    host.user.units[DM].lasts = 0.5
    mends_at_the_second_start(rig)
    rig.end_guest(pid)
    rig.pass_time(60)
    assert starts(rig) == 2
    assert rig.messages(Kind.STUCK) == []
    assert f"{DM} does not run any more: starting {DM} anew" in rig.messages(Kind.REMARK)
    assert rig.differences() == {}
    is_well(rig)


def test_what_was_stuck_and_comes_home_with_it_is_told(run_directory: Path) -> None:
    host = pcs.greeter()
    rig = Rig(host, run_directory)
    pid = rig.start()
    host.kernel.drivers["xhci_hcd"].refuses = True
    host.user.units[DM].lasts = 1.0
    rig.end_guest(pid)
    assert rig.phase is Phase.STUCK
    host.kernel.drivers["xhci_hcd"].refuses = False
    mends_at_the_second_start(rig)
    rig.pass_time(300)
    assert rig.differences() == {}
    assert rig.messages(Kind.RETURN_COMPLETE)


def test_a_look_that_comes_late_takes_what_is_there_for_well(run_directory: Path) -> None:
    """The host has slept in between, or the worker was busy."""
    rig = returned(run_directory)
    rig.host.clock.advance(GREETER_SECONDS * 5)
    is_well(rig)
    assert starts(rig) == 1


def test_a_return_takes_no_longer_for_it(run_directory: Path) -> None:
    """It is looked for afterwards."""
    host = gdm(hesitates=5.0)
    rig = Rig(host, run_directory)
    pid = rig.start()
    began = host.now()
    rig.end_guest(pid)
    assert host.now() == began
    assert rig.messages(Kind.RETURN_COMPLETE)


# One that runs on without a login screen


@pytest.mark.parametrize("lasts", [0.5, 1.9, 2.8])
def test_one_whose_login_screens_fail_is_started_anew_once_and_then_told(
    run_directory: Path, lasts: float
) -> None:
    rig = Rig(gdm(), run_directory)
    pid = rig.start()
    unit = rig.host.user.units["gdm.service"]
    whole = unit.programs
    unit.programs = (whole[0], replace(whole[1], lasts=lasts))
    rig.end_guest(pid)
    rig.pass_time(700)
    assert rig.phase is Phase.STUCK
    assert starts(rig, "gdm.service") == 2
    (fault,) = rig.status.read()["faults"]
    assert f"it was started anew and runs, but nothing of it keeps {pcs.VGA} open" in fault
    unit.programs = whole
    assert rig.return_devices() is None
    is_well(rig, "gdm.service")


@pytest.mark.parametrize("seconds", [4.0, 12.0, GREETER_SECONDS - SETTLE_SECONDS])
def test_one_that_takes_its_time_is_waited_for(run_directory: Path, seconds: float) -> None:
    rig = Rig(gdm(hesitates=seconds), run_directory)
    rig.host.clock.advance(60)
    rig.end_guest(rig.start())
    rig.pass_time(90)
    assert starts(rig, "gdm.service") == 1
    is_well(rig, "gdm.service")


def test_other_programs_on_the_card_are_no_login_screen(run_directory: Path) -> None:
    host = gdm()
    host.user.add(FakeUnit("lactd.service", (Program("lact", (pcs.VGA,), respawn=0.2),)))
    rig = Rig(host, run_directory)
    pid = rig.start()
    host.user.units["gdm.service"].programs = (Program("gdm"),)
    rig.end_guest(pid)
    rig.pass_time(700)
    assert rig.host.units.unit("lactd.service").active
    assert rig.phase is Phase.STUCK


def test_a_monitor_that_is_off_is_among_the_reasons(run_directory: Path) -> None:
    """An X server may not start for that."""
    host = pcs.greeter()
    rig = Rig(host, run_directory)
    pid = rig.start()
    host.kernel.devices[pcs.VGA].monitor = False
    host.user.units[DM].lasts = 0.5
    rig.end_guest(pid)
    rig.pass_time(700)
    assert starts(rig) == 2
    (fault,) = rig.status.read()["faults"]
    assert f"1. see that a monitor is on: none is seen at {pcs.VGA}" in fault


# One that somebody has started while the card was away


def start_under_guest(rig: Rig, unit: str) -> None:
    """It has no card to open."""
    found = rig.host.user.units[unit]
    found.needs_display = False
    rig.host.user.start(unit)
    assert found.active


@pytest.mark.parametrize("make", [pcs.greeter, gdm])
def test_one_that_was_started_under_the_guest_is_started_anew(
    run_directory: Path, make: object
) -> None:
    rig = Rig(pcs.greeter() if make is pcs.greeter else gdm(), run_directory)
    unit = DM if make is pcs.greeter else "gdm.service"
    pid = rig.start()
    start_under_guest(rig, unit)
    began = rig.host.now()
    rig.end_guest(pid)
    assert rig.host.now() == began
    assert rig.host.processes.holders([pcs.VGA])
    assert any(
        f"{unit} runs, but nothing of it keeps" in text for text in rig.messages(Kind.REMARK)
    )
    rig.pass_time(60)
    assert starts(rig, unit) == 1
    assert rig.differences() == {}


def test_who_has_logged_in_on_another_card_meanwhile_keeps_the_desktop(run_directory: Path) -> None:
    host = pcs.greeter()
    rig = Rig(host, run_directory)
    pid = rig.start()
    start_under_guest(rig, DM)
    host.user.log_in(ALICE, Program("gnome-shell", uid=1000))
    rig.end_guest(pid)
    rig.pass_time(700)
    assert rig.phase is Phase.HOST
    assert any(p.program.command == "gnome-shell" for p in host.user.processes.values())
    assert [name for name in host.effects.log if name == f"stop {DM}"] == [f"stop {DM}"]
    (told,) = [text for text in rig.messages(Kind.REMARK) if "alice" in text]
    assert told.endswith(f"would lose what is open; when that is saved, run: "
                         f"sudo systemctl restart {DM}")  # fmt: skip


def test_so_does_who_has_logged_in_from_afar_by_it(run_directory: Path) -> None:
    """A session without a seat, as gnome-remote-desktop's are."""
    host = pcs.greeter()
    rig = Rig(host, run_directory)
    pid = rig.start()
    start_under_guest(rig, DM)
    main = next(p.pid for p in host.user.processes.values() if p.program.command == "Xorg")
    host.user.units[DM].main = main
    host.user.parents[4711] = main
    host.user.log_in(replace(ALICE, seat="", leader=4711), Program("gnome-shell", uid=1000))
    rig.end_guest(pid)
    rig.pass_time(700)
    assert [name for name in host.effects.log if name == f"stop {DM}"] == [f"stop {DM}"]


def test_a_text_login_is_nobody_s_work_that_would_end(run_directory: Path) -> None:
    host = pcs.greeter()
    bob = Session("8", "bob", 1001, "seat0", "user", unit="session-8.scope", terminal=3)
    host.user.add(FakeUnit("getty@tty3.service", logs_in=(bob, (Program("vim", uid=1001),))))
    rig = Rig(host, run_directory)
    pid = rig.start()
    host.user.units[DM].lasts = 1.0
    rig.end_guest(pid)
    rig.pass_time(60)
    assert starts(rig) == 2
    assert any(p.program.command == "vim" for p in host.user.processes.values())


# Where nothing is missing


def text_greeter(host: FakeHost) -> FakeHost:
    ly = FakeUnit("ly.service", (Program("ly"),), aliases=("display-manager.service",))
    host.user.add(ly)
    return host


@pytest.mark.parametrize("is_logged_in", [False, True])
def test_a_text_greeter_needs_no_card(*, run_directory: Path, is_logged_in: bool) -> None:
    host = text_greeter(pcs.bare())
    if is_logged_in:
        host.user.log_in(ALICE, Program("sway", (pcs.VGA,), uid=1000))
    rig = returned(run_directory, host)
    rig.pass_time(700)
    assert starts(rig, "ly.service") == 1
    assert rig.phase is Phase.HOST
    assert rig.messages(Kind.STUCK) == []


def test_a_text_greeter_that_has_ended_is_started_anew(run_directory: Path) -> None:
    host = text_greeter(pcs.bare())
    rig = Rig(host, run_directory)
    pid = rig.start()
    host.user.units["ly.service"].lasts = 1.0
    rig.end_guest(pid)
    rig.pass_time(700)
    assert starts(rig, "ly.service") == 2
    assert rig.phase is Phase.STUCK
    (fault,) = rig.status.read()["faults"]
    assert "it was started anew and ended" in fault


def test_an_autologin_is_as_good_as_a_login_screen(run_directory: Path) -> None:
    host = gdm()
    rig = Rig(host, run_directory)
    pid = rig.start()
    host.user.units["gdm.service"].programs = (Program("gdm"),)

    def log_in(name: str) -> None:
        if name == "start gdm.service":
            shell = Program("gnome-shell", (pcs.VGA,), uid=1000)
            host.clock.after(2.0, lambda: host.user.log_in(ALICE, shell))

    host.effects.barrier = log_in
    rig.end_guest(pid)
    rig.pass_time(700)
    assert starts(rig, "gdm.service") == 1
    assert rig.phase is Phase.HOST


def test_who_stops_it_at_once_is_contradicted_once(run_directory: Path) -> None:
    rig = returned(run_directory)
    rig.host.user.stop(DM)
    rig.pass_time(SETTLE_SECONDS)
    assert rig.host.units.unit(DM).active
    rig.pass_time(60)
    assert rig.phase is Phase.HOST
    rig.host.user.stop(DM)
    rig.pass_time(700)
    assert starts(rig) == 2
    assert rig.phase is Phase.HOST
    assert not rig.host.units.unit(DM).active


def test_who_stops_it_later_is_not_contradicted(run_directory: Path) -> None:
    rig = Rig(pcs.greeter(), run_directory)
    pid = rig.start()
    rig.host.libvirt.hangs = True  # what is home is looked at for minutes then
    rig.host.user.kill(pid)
    rig.watcher.look()
    rig.queue.run_all()
    rig.pass_time(60)
    rig.host.user.stop(DM)
    assert rig.recover() is None
    rig.pass_time(700)
    assert starts(rig) == 1


def test_nothing_is_started_while_the_host_shuts_down(run_directory: Path) -> None:
    rig = returned(run_directory)
    rig.host.user.stop(DM)
    rig.host.user.shutting_down = True
    rig.pass_time(60)
    assert starts(rig) == 1
    assert rig.messages(Kind.STUCK) == []


def test_a_desktop_on_another_card_is_left_alone(run_directory: Path) -> None:
    """Its display manager was started there when the card left, and shows nothing on this one."""
    host = pcs.greeter()
    own = replace(host.kernel.function(pcs.VGA), address=OWN, group=20, boot_vga=False)
    host.kernel.add(replace(host.kernel.device(pcs.VGA), function=own), "amdgpu")
    rig = Rig(host, run_directory)
    pid = rig.start()
    runs = host.user.units[DM].runs
    rig.end_guest(pid)
    rig.pass_time(60)
    assert host.user.units[DM].runs == runs
    assert rig.phase is Phase.HOST


def test_a_monitor_that_was_plugged_into_another_card_meanwhile_shows_it(
    run_directory: Path,
) -> None:
    host = gdm()
    own = replace(host.kernel.function(pcs.VGA), address=OWN, group=20, boot_vga=False)
    card = replace(host.kernel.device(pcs.VGA), function=own, monitor=False, nodes=())
    host.kernel.add(card, "amdgpu")
    rig = Rig(host, run_directory)
    pid = rig.start()
    card.monitor = True
    host.user.units["gdm.service"].programs = (Program("gdm"), Program("greeter", (OWN,), uid=105))
    rig.end_guest(pid)
    rig.pass_time(700)
    assert starts(rig, "gdm.service") == 1
    assert rig.phase is Phase.HOST


# Who says what in between


def test_until_it_was_seen_nobody_says_that_it_is_there(run_directory: Path) -> None:
    rig = returned(run_directory, gdm(hesitates=5.0))
    facts = {**rig.status.read(), "last": None}
    looking = "gdm.service was started; whether a login screen comes of it is looked at for some"
    assert looking in as_text(facts)
    assert looking in _nothing(facts)
    rig.pass_time(30)
    facts = {**rig.status.read(), "last": None}
    assert as_text(facts).startswith("The host has its display.\n  0000:01:00.0")
    assert _nothing(facts) == "The host has its display; there is nothing to take back."


# What goes wrong meanwhile


@pytest.mark.parametrize("fault", [Fault.KILL_BEFORE, Fault.KILL_AFTER])
@pytest.mark.parametrize("number", range(1, 7))
def test_a_daemon_that_is_killed_while_it_starts_it_anew(
    run_directory: Path, fault: Fault, number: int
) -> None:
    rig = returned(run_directory)
    rig.host.user.stop(DM)
    rig.host.effects.plan({number: fault})
    rig.pass_time(30)
    if rig.host.effects.is_dead:
        assert rig.recover() is None
        rig.pass_time(30)
    assert rig.host.units.unit(DM).active
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_a_daemon_that_is_started_anew_before_it_has_looked(run_directory: Path) -> None:
    rig = returned(run_directory)
    rig.host.user.stop(DM)
    assert rig.recover() is None
    rig.pass_time(60)
    assert rig.host.units.unit(DM).active
    assert rig.phase is Phase.HOST


def test_a_full_run_keeps_nobody_from_a_login_screen(run_directory: Path) -> None:
    rig = returned(run_directory)
    rig.host.user.stop(DM)
    rig.host.effects.plan({1: Fault.FAIL_BEFORE})
    rig.pass_time(60)
    assert rig.host.units.unit(DM).active
    assert rig.differences() == {}


def test_who_cannot_be_seen_is_looked_for_again(
    run_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = returned(run_directory)
    real, left = rig.host.processes.holders, [9]

    def holders(addresses: list[PciAddress]) -> list[Holder]:
        left[0] -= 1
        if left[0] >= 0:
            raise HostError("who has which device open cannot be seen")
        return list(real(addresses))

    monkeypatch.setattr(rig.host.processes, "holders", holders)
    rig.pass_time(60)
    assert starts(rig) == 1
    is_well(rig)


def test_it_is_looked_for_although_something_else_is_stuck(run_directory: Path) -> None:
    host = pcs.greeter()
    rig = Rig(host, run_directory)
    pid = rig.start()
    host.kernel.drivers["xhci_hcd"].refuses = True
    host.user.units[DM].lasts = 1.0
    rig.end_guest(pid)
    assert rig.phase is Phase.STUCK
    rig.pass_time(700)
    assert rig.phase is Phase.STUCK
    assert starts(rig) == 2
    (fault,) = rig.status.read()["faults"]
    assert fault.startswith("there is no login screen")
    assert str(pcs.USB) in fault
    host.kernel.drivers["xhci_hcd"].refuses = False
    host.user.units[DM].lasts = None
    assert rig.return_devices(force=True) is None
    assert rig.differences() == {}


def test_who_has_seen_to_it_by_hand_is_not_thrown_out(run_directory: Path) -> None:
    host = pcs.greeter()
    rig = Rig(host, run_directory)
    pid = rig.start()
    host.user.units[DM].lasts = 1.0
    rig.end_guest(pid)
    rig.pass_time(60)
    assert rig.messages(Kind.STUCK)
    host.user.units[DM].lasts = None
    host.user.stop(DM)
    rig.type(f"sudo systemctl start {DM}")
    host.user.log_in(ALICE, Program("gnome-shell", (pcs.VGA,), uid=1000))
    assert rig.return_devices() is None
    assert rig.phase is Phase.HOST
    assert any(p.program.command == "gnome-shell" for p in host.user.processes.values())
    is_well(rig)
