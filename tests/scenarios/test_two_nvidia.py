"""Two cards of NVIDIA's: their driver stays, and must not meet the sound of the guest's card with
vfio-pci (NVIDIA/open-gpu-kernel-modules, issue 1365).
"""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.rig import Rig
from tests.scenarios.test_faults import hand_back, set_right
from vfiod.errors import HostError
from vfiod.events import Kind
from vfiod.handoff.journal import Journal
from vfiod.handoff.steps.devices import Detach
from vfiod.model import Phase


@pytest.fixture
def beside(run_directory: Path) -> Rig:
    return Rig(pcs.two_nvidia(), run_directory)


def test_the_driver_never_meets_its_sound_with_vfio_pci(beside: Rig) -> None:
    beside.end_guest(beside.start())
    assert beside.messages(Kind.STEP_FAILED) == beside.messages(Kind.REMEDY) == []
    assert beside.differences() == {}


def test_nor_does_it_where_an_older_version_began_the_handoff(beside: Rig) -> None:
    """It moved the sound first, so it would come home last."""
    pid = beside.start()
    record = Journal(beside.path).read()
    assert record is not None
    entries = list(record.entries)
    sound = entries.index(next(e for e in entries if e.step == Detach(pcs.AUDIO, 20)))
    display = entries.index(next(e for e in entries if e.step == Detach(pcs.VGA, 20)))
    entries[sound], entries[display] = entries[display], entries[sound]
    Journal(beside.path).begin(replace(record, entries=tuple(entries)))
    beside.end_guest(pid)
    assert beside.messages(Kind.STEP_FAILED) == beside.messages(Kind.REMEDY) == []
    assert beside.differences() == {}


def test_a_sound_that_does_not_leave_vfio_pci_keeps_the_driver_from_the_card(beside: Rig) -> None:
    """No remedy may bind it: the kernel would crash, and with it the other card's desktop."""
    pid = beside.start()

    def refuse(name: str) -> None:
        if name == f"unbind {pcs.AUDIO}":
            raise HostError("the kernel refused")

    beside.host.effects.barrier = refuse
    beside.end_guest(pid)
    left_out = [text for text in beside.messages(Kind.REMEDY) if text.startswith("left out")]
    assert any(f"its sound {pcs.AUDIO} is with vfio-pci" in text for text in left_out)
    assert f"rediscover {pcs.AUDIO}" in beside.host.effects.log
    assert beside.phase is Phase.HOST
    assert beside.differences() == {}


@pytest.mark.parametrize("successor", [False, True], ids=["the same daemon", "the next one"])
def test_one_that_is_late_to_leave_it_is_waited_for(beside: Rig, *, successor: bool) -> None:
    """It has no driver by then, and what vfio-pci keeps of it is there still."""
    pid = beside.start()
    kernel, effects = beside.host.kernel, beside.host.effects

    def hang(name: str) -> None:
        if name == f"unbind {pcs.AUDIO}":
            effects.barrier = lambda _: None
            effects.plan({1: Fault.HANG})

    effects.barrier = hang
    beside.end_guest(pid)
    if successor:
        beside.recover()
    assert beside.phase is Phase.STUCK
    assert kernel.device(pcs.AUDIO).driver is None
    assert kernel.device(pcs.VGA).driver != "nvidia"
    effects.thaw()
    beside.pass_time(1)
    assert beside.status.read()["phase"] == "host"
    assert beside.differences() == {}


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.value)
def test_nor_does_it_whatever_goes_wrong_on_the_way_back(
    fault: Fault, beside: Rig, run_directory: Path
) -> None:
    beside.host.user.kill(beside.start())
    beside.host.effects.log.clear()
    hand_back(beside)
    for number in range(1, len(beside.host.effects.log) + 1):
        rig = Rig(pcs.two_nvidia(), run_directory)
        rig.host.user.kill(rig.start())
        rig.host.effects.plan({number: fault})
        hand_back(rig)
        set_right(rig)
        assert rig.differences() == {}, number
