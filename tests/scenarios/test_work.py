"""What becomes of people's work: what was open is opened again, what need not end goes on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import pcs
from tests.fakes.fault import KILLS, Fault
from tests.fakes.host import FakeHost
from tests.fakes.rig import Rig
from tests.fakes.userspace import FakeUnit, Program
from vfiod.events import Kind

WRITTEN: dict[str, Any] = {"remembered": ({}, {1000: "always"})}


@pytest.fixture
def rig(run_directory: Path) -> Rig:
    return Rig(pcs.reopening(), run_directory)


def stubborn(host: FakeHost) -> FakeHost:
    """Somebody holds the card who cannot be ended: the handoff fails after the desktop."""
    program = Program("stubborn", (pcs.VGA,), ignores=frozenset({15, 9}))
    host.user.add(FakeUnit("stubborn.scope", (program,)))
    return host


def test_the_list_waits_for_the_next_login(rig: Rig) -> None:
    pid = rig.start()
    assert rig.host.users.written == {1000: "always"}
    rig.end_guest(pid)
    assert rig.differences() == WRITTEN


def test_a_reboot_under_the_guest_loses_nothing(rig: Rig) -> None:
    """The journal is gone with /run, the list is not there."""
    rig.start()
    rig.path.unlink()
    rig.recover()
    assert rig.host.users.written == {1000: "always"}


def test_a_start_that_fails_after_the_session_keeps_the_list(run_directory: Path) -> None:
    rig = Rig(stubborn(pcs.reopening()), run_directory)
    assert rig.prepare() is not None
    assert rig.host.users.written == {1000: "always"}


def test_a_start_that_fails_before_the_session_ends_drops_the_list(rig: Rig) -> None:
    pid = rig.start()
    steps = rig.host.effects.log.index("stop lightdm.service")
    rig.end_guest(pid)
    again = Rig(pcs.reopening(), rig.path.parent)
    again.host.effects.plan({steps + 1: Fault.FAIL_BEFORE})
    assert again.prepare() is not None
    assert again.differences() == {}
    assert any("has open still is not opened again" in text for text in again.messages(Kind.REMARK))


@pytest.mark.parametrize("fault", KILLS)
def test_a_daemon_that_is_killed_before_the_session_ends_drops_it_later(
    rig: Rig, fault: Fault
) -> None:
    rig.start()
    number = rig.host.effects.log.index("remember 1000") + 1
    again = Rig(pcs.reopening(), rig.path.parent)
    again.host.effects.plan({number: fault})
    again.prepare()
    again.recover()
    assert again.differences() == {}


@pytest.mark.parametrize("fault", [Fault.FAIL_BEFORE, Fault.FAIL_AFTER])
def test_what_cannot_be_written_down_stops_no_handoff(rig: Rig, fault: Fault) -> None:
    rig.start()
    number = rig.host.effects.log.index("remember 1000") + 1
    again = Rig(pcs.reopening(), rig.path.parent)
    again.host.effects.plan({number: fault})
    pid = again.start()
    assert any(text.startswith("alice: ") for text in again.messages(Kind.REMARK))
    again.end_guest(pid)
    assert again.differences().keys() <= {"remembered"}


def test_a_home_that_does_not_answer_costs_its_time_and_no_more(rig: Rig) -> None:
    rig.host.users.dead.add(1000)
    began = rig.host.now()
    pid = rig.start()
    assert rig.host.now() - began < 20 + 15
    rig.end_guest(pid)
    assert rig.differences() == {}


def test_a_session_that_logind_is_slow_to_forget_has_ended_all_the_same(rig: Rig) -> None:
    """Its first process has: what was open is not taken for open still."""
    rig.host.user.session_ends_after = 10_000.0
    session = rig.host.user.sessions["2"]
    leader = rig.host.user.spawn(Program("gdm-session"), session.unit)
    rig.host.user.sessions["2"] = replace(session, leader=leader.pid)
    pid = rig.start()
    rig.end_guest(pid)
    assert rig.host.users.written == {1000: "always"}


# What need not end


def test_a_build_in_a_manager_that_stays_goes_on(run_directory: Path) -> None:
    rig = Rig(pcs.staying(), run_directory)
    (build,) = rig.host.user.inside(1000, ["make.service"])
    pid = rig.start()
    rig.pass_time(60)
    assert rig.host.user.processes[build.pid] is build
    rig.end_guest(pid)
    assert rig.host.user.processes[build.pid] is build
    assert rig.differences() == {}


def test_sound_in_it_is_back_without_the_card(run_directory: Path) -> None:
    rig = Rig(pcs.staying(), run_directory)
    (before,) = rig.host.user.inside(1000, ["pipewire.service"])
    rig.start()
    rig.pass_time(60)
    (after,) = rig.host.user.inside(1000, ["pipewire.service"])
    assert (after.pid != before.pid, after.nodes) == (True, set())


def test_a_manager_that_does_not_answer_is_told_and_its_holders_get_signals(
    run_directory: Path,
) -> None:
    host = pcs.staying()
    host.users.dead.add(1000)
    rig = Rig(host, run_directory)
    pid = rig.start()
    assert any(text.startswith("alice: ") for text in rig.messages(Kind.REMARK))
    assert any("SIGTERM sent: pipewire" in text for text in rig.messages(Kind.REMARK))
    rig.end_guest(pid)
    assert rig.differences() == {}
