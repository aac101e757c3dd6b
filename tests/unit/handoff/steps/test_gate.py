"""The gate: closed for everybody, opened by every way back; and what is done without one."""

from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import KILLS, Fault
from tests.fakes.host import FakeHost
from tests.fakes.rig import Rig, is_killed
from tests.fakes.shapes import with_vfio
from tests.fakes.userspace import FakeUnit, Program
from vfiod.errors import HostError, TimedOut
from vfiod.handoff.steps.devices import Detach
from vfiod.handoff.steps.gate import CloseGate, OpenGate


def test_what_is_closed_nobody_opens_and_what_is_open_stays_so() -> None:
    host = pcs.bare()
    before = host.user.spawn(Program("early", (pcs.VGA,)))
    CloseGate((pcs.VGA,)).apply(host)
    host.user.spawn(Program("late", (pcs.VGA,)))
    assert {h.pid for h in host.processes.holders([pcs.VGA])} == {before.pid}
    OpenGate().apply(host)
    assert host.user.spawn(Program("later", (pcs.VGA,))).nodes


def test_a_gate_that_cannot_be_closed_is_a_remark() -> None:
    host = pcs.bare()
    host.user.has_gate = False
    (note,) = CloseGate((pcs.VGA,)).apply(host)
    assert note.endswith("holders are looked for again before each unbind instead")


# A scope is nobody's to stop: its process opens the card again whenever it is ended.
def restless(*, gate: bool) -> FakeHost:
    host = pcs.desktop()
    host.user.has_gate = gate
    program = Program("poller", (pcs.VGA, pcs.AUDIO), respawn=0.3)
    host.user.add(FakeUnit("run-r1.scope", (program,)))
    return host


def test_a_holder_that_is_started_again_stands_before_a_closed_gate(run_directory: Path) -> None:
    rig = Rig(restless(gate=True), run_directory)
    pid = rig.start()
    rig.pass_time(30)
    rig.end_guest(pid)
    assert rig.differences() == {}


def test_without_a_gate_the_card_is_not_unbound_under_it(run_directory: Path) -> None:
    rig = Rig(restless(gate=False), run_directory)
    # The consoles take their time, as they do.
    rig.host.effects.barrier = lambda name: (
        rig.host.clock.advance(1) if name.startswith("console") else None
    )
    error = rig.prepare()
    assert isinstance(error, HostError)
    assert "was opened again: poller" in error.message
    rig.host.effects.barrier = lambda _name: None
    assert rig.differences() == {}


def test_without_a_gate_a_passer_by_is_waited_for() -> None:
    host = with_vfio(pcs.bare())
    process = host.user.spawn(Program("nvidia-smi", (pcs.VGA,)))
    host.clock.after(2, lambda: host.user.kill(process.pid))
    Detach(pcs.VGA, 20).apply(host)
    assert host.kernel.mishaps == []


def test_without_a_gate_one_who_stays_is_named() -> None:
    host = with_vfio(pcs.bare())
    host.user.spawn(Program("stayer", (pcs.VGA,)))
    with pytest.raises(TimedOut, match="was opened again: stayer"):
        Detach(pcs.VGA, 20).apply(host)
    assert host.kernel.mishaps == []


def test_a_failed_start_opens_the_gate_before_the_display_manager(run_directory: Path) -> None:
    host = pcs.greeter()
    host.user.spawn(Program("wedged", (pcs.VGA,), ignores=frozenset({9, 15})))
    rig = Rig(host, run_directory)
    assert isinstance(rig.prepare(), HostError)
    assert rig.differences() == {}
    assert {"Xorg", "greeter"} <= {h.command for h in host.processes.holders([pcs.VGA])}


@pytest.mark.parametrize("kill", KILLS)
def test_a_daemon_that_is_killed_leaves_no_gate_closed(run_directory: Path, kill: Fault) -> None:
    rig = Rig(restless(gate=True), run_directory)
    rig.prepare()
    place = rig.host.effects.log.index("close the gate") + 3
    rig = Rig(restless(gate=True), run_directory)
    rig.host.effects.plan({place: kill})
    assert is_killed(rig.prepare())
    assert not rig.host.gate.is_closed
    assert rig.recover() is None
    assert rig.differences() == {}
