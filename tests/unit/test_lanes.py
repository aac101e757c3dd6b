"""Side by side go devices of different slots, and nothing else."""

from tests.fakes import pcs
from vfiod.lanes import lanes
from vfiod.steps.base import Step
from vfiod.steps.devices import Detach, KeepAwake
from vfiod.steps.support import Inhibit, LoadModule

INHIBIT, LOAD = Inhibit("win10"), LoadModule("vfio_pci", 20)
VGA, AUDIO, USB = (Detach(address, 20) for address in pcs.DEVICES)
AWAKE = KeepAwake(pcs.VGA)


def placed(*steps: Step) -> object:
    return [[list(lane) for lane in stage] for stage in lanes(steps, lambda step: step)]


def test_other_steps_stay_in_line() -> None:
    assert placed(INHIBIT, LOAD) == [[[INHIBIT, LOAD]]]


def test_functions_of_one_slot_stay_in_line_and_slots_go_side_by_side() -> None:
    assert placed(AUDIO, USB, VGA) == [[[AUDIO, VGA], [USB]]]


def test_what_belongs_to_a_device_goes_with_it() -> None:
    assert placed(AWAKE, USB, VGA) == [[[AWAKE, VGA], [USB]]]


def test_devices_wait_for_what_stands_before_them() -> None:
    assert placed(INHIBIT, USB, LOAD, VGA) == [[[INHIBIT]], [[USB]], [[LOAD]], [[VGA]]]


def test_nothing_is_lost_and_nothing_added() -> None:
    assert placed() == []
