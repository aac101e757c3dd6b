"""What root does in a session is not cut off half-way, whatever sessions: says."""

from dataclasses import replace

import pytest

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from tests.fakes.userspace import FakeUnit, Program
from tests.unit.handoff.decision.test_checks import faults, only
from vfiod.config.schema import Config, parse
from vfiod.errors import HostError
from vfiod.host.systemd import Inhibitor
from vfiod.model import Session

WHY = "APT is installing or removing packages"
APT = Inhibitor(frozenset({"shutdown"}), "APT", WHY, "block", 0, 0)
WHAT = frozenset({"idle", "sleep", "shutdown"})
RPM = Inhibitor(WHAT, "RPM", "Transaction running", "block", 0, 0)
IN_SESSION, IN_MANAGER = "session-2.scope", "user@1000.service"


def at_work(unit: str, lock: Inhibitor = APT, host: FakeHost | None = None) -> FakeHost:
    """A package manager of root's runs in this unit."""
    host = host or pcs.desktop()
    process = host.user.spawn(Program("apt", uid=0), unit)
    host.logins.locks = [replace(lock, pid=process.pid)]
    return host


def config(policy: str, more: str = "") -> Config:
    return parse(f"sessions: {policy}\n{more}{pcs.configuration()}")


@pytest.mark.parametrize("policy", ["terminate", "log-out", "refuse-unsaved"])
@pytest.mark.parametrize("unit", [IN_SESSION, IN_MANAGER])
def test_an_update_in_what_ends_refuses(unit: str, policy: str) -> None:
    fault = only(at_work(unit), config(policy))
    assert fault.message == (
        "APT is at work in the session of alice, which would end, and must not be cut off "
        "half-way: APT is installing or removing packages"
    )
    assert fault.hint.startswith("wait for its end")


def test_a_desktop_of_root_s_has_such_locks_of_its_own() -> None:
    """Taken for each program that objects to a logout."""
    own = replace(APT, who="root", why="user session inhibited")
    assert faults(at_work(IN_SESSION, own)) == []


def test_so_does_one_of_rpm_s() -> None:
    assert only(at_work(IN_SESSION, RPM)).message.endswith("half-way: Transaction running")


def test_and_one_in_a_service_that_is_stopped() -> None:
    host = pcs.desktop()
    host.user.add(FakeUnit("lab.service", (Program("jupyter", (pcs.VGA,), uid=1000),)))
    message = only(at_work("lab.service", host=host)).message
    assert message.startswith("APT is at work in lab.service, which would end")
    host = at_work("chosen.service")
    assert "chosen.service" in only(host, config("terminate", "stop: [chosen.service]\n")).message


def test_a_manager_that_stays_may_have_its_terminal_on_the_desktop() -> None:
    assert "the session of alice" in only(at_work(IN_MANAGER, host=pcs.staying())).message


@pytest.mark.parametrize(
    "unit", ["apt-daily-upgrade.service", "packagekit.service", "session-7.scope", ""]
)
def test_one_elsewhere_goes_on(unit: str) -> None:
    assert faults(at_work(unit, host=pcs.crowded())) == []


def test_one_in_a_manager_of_which_only_the_sound_is_begun_anew_goes_on() -> None:
    host = pcs.staying()
    host.user.stop(IN_SESSION)
    host.user.leader_ends("2")
    host.settle()
    assert faults(at_work(IN_MANAGER, host=host)) == []
    host.user.has_gate = False  # then all of it is stopped
    assert IN_MANAGER in only(host).message


def test_one_in_what_a_login_has_left_goes_on() -> None:
    host = pcs.greeter()
    old = Session("2", "alice", 1000, "seat0", "user", graphical=True, unit=IN_SESSION)
    host.user.log_in(old, Program("tmux", uid=1000, ignores=frozenset({1})))
    host.user.hang_up("2")
    assert faults(at_work(IN_SESSION, host=host)) == []


def test_a_desktop_that_stays_cuts_nothing_off() -> None:
    assert faults(at_work(IN_SESSION, host=pcs.desktop(pcs.on_vfio()))) == []


@pytest.mark.parametrize(
    "lock",
    [
        replace(APT, uid=1000),  # gnome-session's, for a program that objects
        replace(APT, mode="delay"),
        replace(APT, what=frozenset({"sleep", "idle"})),
        replace(APT, what=frozenset({"handle-power-key"})),
    ],
)
def test_other_locks_are_no_reason(lock: Inhibitor) -> None:
    assert faults(at_work(IN_SESSION, lock)) == []


def test_a_weak_lock_is_one_too() -> None:
    assert "APT" in only(at_work(IN_SESSION, replace(APT, mode="block-weak"))).message


def test_a_logind_that_does_not_say_is_no_reason() -> None:
    host = pcs.desktop()
    host.logins.locks = HostError("no answer to ListInhibitors in time")
    assert faults(host) == []
