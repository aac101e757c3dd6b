"""Logins that are over, of which something is left: logind lists them until that has ended.

So it is on most distributions (logind.conf(5), KillUserProcesses=no) and with the desktops whose
programs live in the session's scope: Xfce, MATE, Cinnamon, LXQt, i3, sway, Hyprland.
"""

import signal
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from tests.fakes.rig import Rig
from tests.fakes.userspace import Program
from tests.scenarios.test_whose_work import rig, runs
from vfiod.events import Kind
from vfiod.model import Session

POLICIES = ("terminate", "log-out", "refuse-unsaved", "refuse")
TMUX = Program("tmux", uid=1000, ignores=frozenset({signal.SIGHUP}))
MAKE = Program("make", uid=1000, ignores=frozenset({signal.SIGHUP}))
FFMPEG = Program("ffmpeg", (pcs.VGA,), uid=1000, ignores=frozenset({signal.SIGHUP}))


def session(ident: str = "2", seat: str = "seat0") -> Session:
    scope = f"session-{ident}.scope"
    return Session(ident, "alice", 1000, seat, "user", graphical=True, unit=scope, terminal=7)


def logged_out(*programs: Program, host: FakeHost | None = None, memory: int = 0) -> FakeHost:
    """alice has logged out of her desktop hours ago; these are left."""
    host = host or pcs.greeter()
    xfce = Program("xfce4-session", uid=1000)
    host.user.log_in(session(), xfce, *programs, memory=memory)
    host.user.hang_up("2")
    host.clock.advance(3600)
    (left,) = (s for s in host.logins.sessions() if s.is_person)
    assert left.closing
    return host


def logged_in(*programs: Program, memory: int = 0) -> FakeHost:
    """alice's desktop is there, and these with it."""
    host = pcs.greeter()
    host.user.session_ends_after = 0.5
    host.user.log_in(session(), Program("xfce4-session", (pcs.VGA,), uid=1000), *programs,
                     memory=memory)  # fmt: skip
    return host


def logged_in_anew(*left: Program) -> FakeHost:
    """alice has these from an earlier login, and a desktop now."""
    host = logged_out(*left)
    host.user.log_in(session("5"), Program("xfce4-session", (pcs.VGA,), uid=1000))
    return host


def prepared(found: Rig) -> float:
    """How long the handoff has taken."""
    began = found.host.now()
    assert found.prepare() is None
    return found.host.now() - began


# Over before the start was asked for


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_left_of_a_login_is_no_desktop_and_goes_on(
    run_directory: Path, policy: str
) -> None:
    host = logged_out(TMUX, MAKE)
    found = rig(run_directory, host, policy)
    assert prepared(found) < 5
    assert (runs(host, "tmux"), runs(host, "make")) == (["session-2.scope"], ["session-2.scope"])
    assert host.goodbyes.asked == []
    assert not any("alice" in text for text in found.messages(Kind.REMARK))
    assert "terminate 2" not in host.effects.log


def test_it_goes_on_beside_its_owner_s_next_desktop(run_directory: Path) -> None:
    host = logged_in_anew(TMUX)
    found = rig(run_directory, host, "terminate")
    assert prepared(found) < 5
    assert runs(host, "tmux") == ["session-2.scope"]
    assert runs(host, "xfce4-session") == []
    found.pass_time(60)
    assert host.units.unit("user@1000.service").active  # logind keeps it for the tmux


@pytest.mark.parametrize("seat", ["seat0", "seat1", ""])
def test_on_whatever_seat_it_was(run_directory: Path, seat: str) -> None:
    host = pcs.greeter()
    host.user.log_in(session("2", seat), TMUX)
    host.user.hang_up("2")
    assert rig(run_directory, host, "refuse").prepare() is None
    assert runs(host, "tmux") == ["session-2.scope"]


def test_its_memory_does_not_come_free(run_directory: Path) -> None:
    host = logged_out(MAKE, memory=8 * pcs.GIB)
    host.memory.free = 3 * pcs.GIB
    words = str(rig(run_directory, host, "terminate").prepare())
    assert "3.0 GiB are free and ending the desktop frees 0.1 GiB" in words
    assert runs(host, "make")


def test_nor_does_that_of_the_manager_that_stays_with_it(run_directory: Path) -> None:
    host = logged_in_anew(TMUX)
    host.user.units["user@1000.service"].memory = 8 * pcs.GIB
    host.memory.free = 3 * pcs.GIB
    assert "of memory" in str(rig(run_directory, host, "terminate").prepare())


def test_a_display_that_sees_no_screen_is_begun_anew_all_the_same(run_directory: Path) -> None:
    host = logged_out(TMUX)
    found = rig(run_directory, host, "terminate")
    pid = found.start()
    host.kernel.devices[pcs.VGA].monitor = False
    found.end_guest(pid)
    runs_before = host.user.units["lightdm.service"].runs
    found.pass_time(60)
    assert host.user.units["lightdm.service"].runs == runs_before + 1
    assert runs(host, "tmux") == ["session-2.scope"]


# What is left has a device open


@pytest.mark.parametrize(
    ("policy", "why"),
    [("refuse", "sessions is set to refuse"), ("refuse-unsaved", "no desktop can ask about it")],
)
def test_a_job_that_is_left_with_the_card_is_work_that_would_end(
    run_directory: Path, policy: str, why: str
) -> None:
    host = logged_out(FFMPEG)
    words = str(rig(run_directory, host, policy).prepare())
    assert f"the work of alice (ffmpeg) would end, and {why}" in words
    assert runs(host, "ffmpeg")
    assert host.goodbyes.asked == []


def test_so_it_is_beside_a_desktop_that_is_asked(run_directory: Path) -> None:
    host = logged_in_anew(FFMPEG)
    words = str(rig(run_directory, host, "refuse-unsaved").prepare())
    assert "the work of alice (ffmpeg) would end, and no desktop can ask about it" in words


@pytest.mark.parametrize("policy", ["terminate", "log-out"])
def test_where_it_may_end_it_does_at_once(run_directory: Path, policy: str) -> None:
    host = logged_out(FFMPEG)
    found = rig(run_directory, host, policy)
    assert prepared(found) < 5
    assert runs(host, "ffmpeg") == []
    assert host.goodbyes.asked == []
    assert not any("SIGTERM" in text for text in found.messages(Kind.REMARK))


def test_a_part_of_a_desktop_that_hangs_after_the_logout_is_nobody_s_work(
    run_directory: Path,
) -> None:
    """Linux names none of these; the model does not know this one."""
    host = logged_out(Program("pulseaudio", (pcs.AUDIO,), uid=1000, ignores=frozenset({1})))
    assert rig(run_directory, host, "refuse").prepare() is None


def test_nothing_of_it_is_written_down_as_open(run_directory: Path) -> None:
    host = logged_out(FFMPEG)
    found = Rig(host, run_directory, f"reopen: always\n{pcs.configuration()}")
    assert found.prepare() is None
    assert host.users.written == {}


# Over on the way: with the display manager, or by the logout that was asked for


@pytest.mark.parametrize("policy", ["terminate", "log-out", "refuse-unsaved"])
def test_what_outlives_a_session_that_ends_ends_as_was_said(
    run_directory: Path, policy: str
) -> None:
    host = logged_in(MAKE, memory=8 * pcs.GIB)
    host.memory.free = pcs.GIB
    found = rig(run_directory, host, policy)
    assert prepared(found) < 35  # the countdown and the logout
    assert any("alice (make" in event.message for event in found.events)
    assert runs(host, "make") == []
    assert [s.ident for s in host.logins.sessions() if s.is_person] == []
    assert not any("has not ended" in text for text in found.messages(Kind.REMARK))


def test_it_costs_no_time(run_directory: Path) -> None:
    assert prepared(rig(run_directory, logged_in(MAKE), "terminate")) < 5


def test_a_scope_that_does_not_stop_is_a_remark(run_directory: Path) -> None:
    host = logged_in(MAKE)
    host.user.units["session-2.scope"].stop_hangs = True
    found = rig(run_directory, host, "terminate")
    assert found.prepare() is None
    texts = found.messages(Kind.REMARK)
    assert any("session-2.scope did not finish StopUnit within 20 s" in text for text in texts)
    assert any("session 2 of alice has not ended after 20 s" in text for text in texts)


def test_who_has_logged_out_while_people_were_told_is_asked_no_more(run_directory: Path) -> None:
    host = logged_in(TMUX)
    found = rig(run_directory, host, "refuse-unsaved")
    host.clock.after(3, lambda: host.user.hang_up("2"))
    assert found.prepare() is None
    assert host.goodbyes.asked == ["announce alice"]
