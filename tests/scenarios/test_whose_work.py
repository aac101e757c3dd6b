"""Whose work a handoff ends: the same on PCs where it stands elsewhere than in one's session."""

from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.host import FakeHost
from tests.fakes.rig import Rig
from tests.fakes.userspace import FakeUnit, Program
from tests.scenarios.test_late import spoil
from vfiod.events import Kind
from vfiod.handoff.steps.desktop import MASTER_SECONDS
from vfiod.host.goodbye import Answer, Outcome
from vfiod.host.systemd import Inhibitor
from vfiod.model import Phase, Session

POLITE = ("log-out", "refuse-unsaved")
LINGERING = "/user.slice/user-1000.slice/user@1000.service/app.slice"


def rig(directory: Path, host: FakeHost, policy: str) -> Rig:
    return Rig(host, directory, f"sessions: {policy}\n" + pcs.configuration())


def runs(host: FakeHost, command: str) -> list[str]:
    """Units in which a program runs."""
    return [p.unit for p in host.user.processes.values() if p.program.command == command]


# A text login beside the desktop


@pytest.mark.parametrize("policy", ["terminate", *POLITE])
def test_a_text_login_beside_the_desktop_goes_on(run_directory: Path, policy: str) -> None:
    host = pcs.desktop()
    editor = Session("5", "alice", 1000, "seat0", "user", unit="session-5.scope", terminal=3)
    host.user.log_in(editor, Program("vim", uid=1000))
    found = rig(run_directory, host, policy)
    assert found.prepare() is None
    assert [s.ident for s in host.logins.sessions() if s.is_person] == ["5"]
    assert runs(host, "vim")


# A login on a console that a program paints: its end hangs up


@pytest.mark.parametrize("policy", ["refuse", "refuse-unsaved"])
def test_a_login_in_kmscon_is_work_that_ends_with_it(run_directory: Path, policy: str) -> None:
    host = pcs.kmscon()
    found = rig(run_directory, host, policy)
    assert "the work of bob (vim) would end" in f"{found.prepare()}"
    assert runs(host, "vim")
    assert runs(host, "kmscon") == ["kmsconvt@tty3.service"]


@pytest.mark.parametrize("policy", ["terminate", "log-out"])
def test_kmscon_is_back_after_the_desktop_has_the_card(run_directory: Path, policy: str) -> None:
    host = pcs.kmscon()
    found = rig(run_directory, host, policy)
    assert found.prepare() is None
    assert [s.ident for s in host.logins.sessions() if s.is_person] == []
    assert not runs(host, "vim")
    assert not any("bob" in asked for asked in host.goodbyes.asked)
    assert found.return_devices() is None
    assert found.phase is Phase.HOST
    assert runs(host, "kmscon") == ["kmsconvt@tty3.service"]
    holders = host.processes.holders([pcs.VGA])
    assert holders[0].unit == "lightdm.service"


def test_a_login_in_kmscon_on_another_screen_goes_on(run_directory: Path) -> None:
    host = pcs.kmscon()
    console = next(p for p in host.user.processes.values() if p.program.command == "kmscon")
    console.nodes.clear()
    found = rig(run_directory, host, "terminate")
    assert found.prepare() is None
    assert runs(host, "vim")


# A guest that is chosen at the login screen


@pytest.mark.parametrize("policy", ["refuse", *POLITE])
def test_who_came_for_the_guest_alone_is_asked_nothing(run_directory: Path, policy: str) -> None:
    host = pcs.greeter()
    entry = Session("4", "alice", 1000, "seat0", "user", graphical=True, unit="session-4.scope",
                    desktop="vfiod-0815")  # fmt: skip
    host.user.log_in(entry, Program("vfiod", uid=1000, title="vfiod session"))
    host.goodbyes.answers["log out", "alice"] = Answer(Outcome.NOBODY)
    found = rig(run_directory, host, policy)
    assert found.prepare() is None
    assert host.goodbyes.asked == []


# Another guest


@pytest.mark.parametrize("policy", POLITE)
def test_a_guest_that_begins_while_people_are_asked_is_not_ended(
    run_directory: Path, policy: str
) -> None:
    host = pcs.desktop()
    found = rig(run_directory, host, policy)
    other = Program("qemu-system-x86", (pcs.VGA,), uid=64055)
    host.clock.after(3, lambda: host.user.spawn(other, r"machine-qemu\x2d4\x2dserver.scope"))
    assert "another guest uses the devices: qemu-system-x86" in str(found.prepare())
    assert runs(host, "qemu-system-x86")
    assert found.phase is Phase.HOST
    assert host.units.unit("lightdm.service").active


def test_nor_is_one_that_begins_when_the_desktop_has_ended(run_directory: Path) -> None:
    host = pcs.desktop()
    host.user.has_gate = False
    found = rig(run_directory, host, "terminate")
    other = Program("qemu-system-x86", (pcs.VGA,), uid=64055)
    host.clock.after(0.2, lambda: host.user.spawn(other, r"machine-qemu\x2d4\x2dserver.scope"))
    assert "another guest uses the devices" in str(found.prepare())
    assert runs(host, "qemu-system-x86")
    assert host.units.unit("lightdm.service").active


# What a user's own services do with the card


def render_node(host: FakeHost) -> str:
    """What is opened by whoever draws or computes without a screen."""
    return next(node for node in host.kernel.device(pcs.VGA).nodes if "render" in node)


def with_own_service(program: Program) -> FakeHost:
    host = pcs.greeter()
    host.user.lingering.add(1000)
    host.user.add(FakeUnit("user@1000.service", (program,)))
    return host


def is_back(run_directory: Path, host: FakeHost, name: str) -> None:
    """It is gone while the guest has the card, and there again after it."""
    found = rig(run_directory, host, "terminate")
    pid = found.start()
    assert runs(host, name) == []
    found.end_guest(pid)
    assert runs(host, name) == ["user@1000.service"]
    assert found.differences() == {}


def test_a_service_of_a_user_who_lingers_is_back_after_the_guest(run_directory: Path) -> None:
    program = Program("ollama", uid=1000, group=f"{LINGERING}/ollama.service")
    host = with_own_service(program)
    (process,) = (p for p in host.user.processes.values() if p.program is program)
    process.nodes.add(render_node(host))
    is_back(run_directory, host, "ollama")


def test_so_is_one_that_looks_at_the_screen(run_directory: Path) -> None:
    """A remote desktop's server has the card itself open, and is none of the desktop's own."""
    group = f"{LINGERING}/app.slice/sunshine.service"
    host = with_own_service(Program("sunshine", (pcs.VGA,), uid=1000, group=group))
    is_back(run_directory, host, "sunshine")


def test_a_compositor_that_is_a_service_is_not_begun_for_nobody(run_directory: Path) -> None:
    """The way back begins what logs somebody in; a screen that nobody has logged in to is open."""
    group = f"{LINGERING}/app.slice/sway.service"
    host = pcs.bare()
    host.user.lingering.add(1000)
    sway = Program("sway", (pcs.VGA,), uid=1000, group=group)
    host.user.add(FakeUnit("user@1000.service", (sway,)))
    found = rig(run_directory, host, "terminate")
    found.end_guest(found.start())
    assert not any("start sway.service" in line for line in host.effects.log)


# Numbers of users


@pytest.mark.parametrize("uid", [1000, 100999, 0])
def test_what_is_in_a_user_s_manager_is_theirs_whatever_number_it_has(
    run_directory: Path, uid: int
) -> None:
    """A container of theirs has users of its own, and sudo makes root's processes."""
    host = with_own_service(Program("ffmpeg", (pcs.VGA,), uid=uid, group=f"{LINGERING}/a.scope"))
    assert "alice" in str(rig(run_directory, host, "refuse").prepare())


@pytest.mark.parametrize("uid", [1005, 1234600001])
def test_people_of_a_directory_are_people(run_directory: Path, uid: int) -> None:
    host = pcs.greeter()
    host.user.spawn(Program("python3", (pcs.VGA,), uid=uid), "session-9.scope")
    assert f"user {uid} (python3)" in str(rig(run_directory, host, "refuse").prepare())


@pytest.mark.parametrize("uid", [61500, 65534])
def test_numbers_of_the_system_s_own_are_not(run_directory: Path, uid: int) -> None:
    host = pcs.greeter()
    host.user.spawn(Program("worker", (pcs.VGA,), uid=uid), "run-1.scope")
    assert rig(run_directory, host, "refuse").prepare() is None


# Jobs and services of the system


@pytest.mark.parametrize("unit", ["cron.service", "jupyterhub.service"])
def test_a_person_s_job_in_a_system_s_service_is_guarded(run_directory: Path, unit: str) -> None:
    host = pcs.greeter()
    host.user.add(FakeUnit(unit, (Program("python3", (pcs.VGA,), uid=1000),)))
    assert "alice (python3)" in str(rig(run_directory, host, "refuse").prepare())
    assert runs(host, "python3") == [unit]


def test_everybody_s_jobs_go_on_when_one_of_them_ends(run_directory: Path) -> None:
    host = pcs.greeter()
    host.user.add(FakeUnit("cron.service", (Program("ffmpeg", (pcs.VGA,), uid=1000),)))
    found = rig(run_directory, host, "terminate")
    assert found.prepare() is None
    assert host.units.unit("cron.service").active
    assert runs(host, "ffmpeg") == []


def test_a_job_elsewhere_of_who_has_a_desktop_is_asked_about_by_nobody(run_directory: Path) -> None:
    host = pcs.desktop()
    over_ssh = Session("7", "alice", 1000, "", "user", unit="session-7.scope")
    host.user.log_in(over_ssh, Program("python3", (pcs.VGA,), uid=1000))
    words = str(rig(run_directory, host, "refuse-unsaved").prepare())
    assert "the work of alice (python3) would end, and no desktop can ask about it" in words
    assert host.goodbyes.asked == []


# An update of the system in a terminal of the session


@pytest.mark.parametrize("policy", ["terminate", *POLITE])
def test_an_update_of_the_system_is_not_cut_off(run_directory: Path, policy: str) -> None:
    host = pcs.desktop()
    apt = host.user.spawn(Program("apt", uid=0), "session-2.scope")
    dpkg = host.user.spawn(Program("dpkg", uid=0), "session-2.scope")
    why = "APT is installing or removing packages"
    host.logins.locks = [Inhibitor(frozenset({"shutdown"}), "APT", why, "block", 0, apt.pid)]
    found = rig(run_directory, host, policy)
    assert why in str(found.prepare())
    assert runs(host, "dpkg") == ["session-2.scope"]
    assert host.goodbyes.asked == []
    assert host.units.unit("lightdm.service").active
    host.user.end(apt.pid)
    host.user.end(dpkg.pid)
    host.logins.locks = []
    assert found.prepare() is None


# A desktop without a display manager


@pytest.mark.parametrize("spoiled", ["late", "cured by a reset"])
def test_an_autologin_begins_only_on_a_card_that_is_back(run_directory: Path, spoiled: str) -> None:
    found = rig(run_directory, pcs.autologin(), "terminate")
    pid = found.start()
    if spoiled == "late":
        spoil(found, f"probe {pcs.VGA}", Fault.LATE)
    else:
        found.host.kernel.devices[pcs.VGA].cure = "reset pm"
    found.end_guest(pid)
    found.pass_time(60)
    assert found.phase is Phase.HOST
    (sway,) = (p for p in found.host.user.processes.values() if p.program.command == "sway")
    assert sway.nodes


# A login screen that never opens the card


def test_a_text_greeter_is_not_waited_for(run_directory: Path) -> None:
    host = pcs.bare()
    greetd = FakeUnit("greetd.service", (Program("tuigreet", uid=105),),
                      aliases=("display-manager.service",))  # fmt: skip
    host.user.add(greetd)
    host.user.add(FakeUnit("lactd.service", (Program("lact", (pcs.VGA,)),)))
    found = rig(run_directory, host, "terminate")
    pid = found.start()
    began = host.now()
    found.end_guest(pid)
    assert found.messages(Kind.RETURN_COMPLETE)
    assert host.now() - began < MASTER_SECONDS
    assert found.differences() == {}
