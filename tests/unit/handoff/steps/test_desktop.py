"""Steps that end the desktop, and the gate."""

from dataclasses import replace

import pytest

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from tests.fakes.userspace import FakeUnit, Program
from vfiod.config.spared import UNTOUCHABLE
from vfiod.errors import HostError, TimedOut
from vfiod.handoff.steps.base import Notes, Step
from vfiod.handoff.steps.desktop import ReleaseHolders, StopUnit
from vfiod.handoff.steps.displaymanager import StopDisplayManager

SECONDS = 20.0


# Display manager and units


@pytest.mark.parametrize(
    "step",
    [
        StopDisplayManager("lightdm.service", (pcs.VGA,), SECONDS),
        StopUnit("lightdm.service", restart=True, seconds=SECONDS),
    ],
)
def test_nothing_is_started_while_the_host_shuts_down(step: Step) -> None:
    host = pcs.greeter()
    prior = step.observe(host)
    step.apply(host)
    host.user.shutting_down = True
    assert step.undo(host, prior) == ("lightdm.service not started: the host is shutting down",)
    assert not host.units.unit("lightdm.service").active


@pytest.mark.parametrize(
    "step",
    [
        StopDisplayManager("lightdm.service", (pcs.VGA,), SECONDS),
        StopUnit("lightdm.service", restart=True, seconds=SECONDS),
    ],
)
def test_what_did_not_run_before_is_not_started(step: Step) -> None:
    host = pcs.greeter()
    host.user.stop("lightdm.service")
    prior = step.observe(host)
    step.apply(host)
    step.undo(host, prior)
    assert not host.units.unit("lightdm.service").active


def test_a_service_is_started_once_somebody_else_has_the_card() -> None:
    host = pcs.greeter()
    host.user.add(FakeUnit("lactd.service", (Program("lact", (pcs.VGA,)),)))
    host.units.stop("lightdm.service", seconds=SECONDS)
    step = StopUnit("lactd.service", restart=True, seconds=SECONDS, after_displays=(pcs.VGA,))
    prior = step.observe(host)
    step.apply(host)
    host.clock.after(7, lambda: host.user.start("lightdm.service"))
    before = host.now()
    step.undo(host, prior)
    assert host.now() - before == 7
    assert host.units.unit("lactd.service").active


def test_it_is_started_all_the_same_if_nobody_takes_the_card() -> None:
    host = pcs.greeter()
    host.units.stop("lightdm.service", seconds=SECONDS)
    step = StopUnit("lightdm.service", restart=True, seconds=SECONDS, after_displays=(pcs.VGA,))
    step.undo(host, {"active": True})
    assert host.units.unit("lightdm.service").active


def test_it_is_started_all_the_same_if_nobody_can_be_seen_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = pcs.greeter()
    host.units.stop("lightdm.service", seconds=SECONDS)

    def blind(_displays: object) -> None:
        raise HostError("who has which device open cannot be seen")

    monkeypatch.setattr(host.processes, "holders", blind)
    step = StopUnit("lightdm.service", restart=True, seconds=SECONDS, after_displays=(pcs.VGA,))
    step.undo(host, {"active": True})
    assert host.units.unit("lightdm.service").active


def test_a_service_that_does_not_start_again_is_a_remark() -> None:
    host = pcs.bare()
    host.user.add(FakeUnit("nvidia-persistenced.service"))
    step = StopUnit("nvidia-persistenced.service", restart=True, seconds=SECONDS)
    prior = step.observe(host)
    step.apply(host)
    host.user.units["nvidia-persistenced.service"].start_fails = True
    (note,) = step.undo(host, prior)
    assert note.endswith("when that is set right: sudo systemctl start nvidia-persistenced.service")


def test_a_unit_without_restart_is_not_waited_for_and_stays_stopped() -> None:
    host = pcs.greeter()
    step = StopUnit("lightdm.service", restart=False, seconds=SECONDS)
    prior = step.observe(host)
    before = host.now()
    step.apply(host)
    assert host.now() == before
    assert host.wait(lambda: not host.units.unit("lightdm.service").active, seconds=2)
    step.undo(host, prior)
    assert not host.units.unit("lightdm.service").active
    assert step.describe_undo() == ""


# The gate


def release(host: FakeHost) -> Notes:
    return ReleaseHolders((pcs.VGA, pcs.AUDIO), 5, 3).apply(host)


def test_the_gate_is_open_if_nobody_holds_the_devices() -> None:
    host = pcs.bare()
    assert release(host) == []
    assert host.effects.log == []
    assert host.now() == 1000.0


def test_holders_get_time_to_let_go_by_themselves() -> None:
    host = pcs.bare()
    process = host.user.spawn(Program("aplay", (pcs.AUDIO,)))
    host.clock.after(4, lambda: host.user.kill(process.pid))
    assert release(host) == []
    assert host.effects.log == []


def test_those_who_are_known_are_not_the_only_ones() -> None:
    """The last look is at all processes."""
    host = pcs.bare()
    known, other = (host.user.spawn(Program("aplay", (pcs.AUDIO,))) for _ in range(2))
    host.clock.after(1, lambda: host.user.kill(known.pid))
    host.clock.after(4, lambda: host.user.kill(other.pid))
    assert ReleaseHolders((pcs.VGA, pcs.AUDIO), 5, 3, (known.pid,)).apply(host) == []
    assert 1004.0 <= host.now() < 1005.0


def test_then_they_get_sigterm() -> None:
    host = pcs.bare()
    pid = host.user.spawn(Program("aplay", (pcs.AUDIO,))).pid
    assert release(host) == [f"SIGTERM sent: aplay (pid {pid}) has /dev/snd/controlC0 open"]
    assert host.now() == 1005.0


def test_then_they_get_sigkill() -> None:
    host = pcs.bare()
    host.user.spawn(Program("aplay", (pcs.AUDIO,), ignores=frozenset({15})))
    notes = release(host)
    assert [note.split()[0] for note in notes] == ["SIGTERM", "SIGKILL"]
    assert host.now() == 1008.0


def test_a_process_with_two_nodes_gets_one_signal() -> None:
    host = pcs.bare()
    host.user.spawn(Program("kodi", (pcs.VGA, pcs.AUDIO)))
    release(host)
    assert host.effects.log == ["signal kodi 15"]


def test_one_that_cannot_be_ended_is_named_with_its_node() -> None:
    host = pcs.bare()
    pid = host.user.spawn(Program("wedged", (pcs.VGA,), ignores=frozenset({9, 15}))).pid
    with pytest.raises(TimedOut) as caught:
        release(host)
    assert f"wedged (pid {pid}) has /dev/dri/card0 open" in caught.value.message
    assert caught.value.hint == "end these processes, then start the guest again"


@pytest.mark.parametrize("unit", sorted(UNTOUCHABLE))
def test_some_are_never_signalled(unit: str) -> None:
    host = pcs.bare()
    host.user.add(FakeUnit(unit, (Program("program", (pcs.VGA,)),)))
    with pytest.raises(TimedOut):
        release(host)
    assert host.effects.log == []


def test_the_first_process_is_never_signalled() -> None:
    """It keeps descriptors for services (FileDescriptorStoreMax=)."""
    host = pcs.bare()
    process = host.user.spawn(Program("systemd", (pcs.VGA,)))
    host.user.processes = {1: replace(process, pid=1)}
    with pytest.raises(TimedOut):
        release(host)
    assert host.effects.log == []


@pytest.mark.parametrize("command", ["systemd", "systemd-logind", "dbus-daemon"])
def test_a_name_protects_nobody(command: str) -> None:
    host = pcs.bare()
    host.user.add(FakeUnit("run-r1.scope", (Program(command, (pcs.VGA,)),)))
    assert release(host)
    assert host.effects.log == [f"signal {command} 15"]
