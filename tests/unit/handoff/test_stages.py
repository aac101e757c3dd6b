"""Side by side go devices of different slots, and nothing else."""

from tests.fakes import pcs
from vfiod.handoff.journal import Entry
from vfiod.handoff.stages import stages, stages_back
from vfiod.handoff.steps.base import Step
from vfiod.handoff.steps.desktop import ReleaseHolders, StopUnit
from vfiod.handoff.steps.devices import Detach, KeepAwake
from vfiod.handoff.steps.displaymanager import StopDisplayManager
from vfiod.handoff.steps.people import EndSessions
from vfiod.handoff.steps.screen import AwaitDisplay, ReleaseConsoles
from vfiod.handoff.steps.support import Inhibit, LoadModule

INHIBIT, LOAD = Inhibit("win10"), LoadModule("vfio_pci", 20)
VGA, AUDIO, USB = (Detach(address, 20) for address in pcs.DEVICES)
AWAKE, PICTURE = KeepAwake(pcs.VGA), AwaitDisplay(pcs.VGA, 20)
DESKTOP, SESSIONS = StopDisplayManager("gdm.service", (pcs.VGA,), 20), EndSessions(("2",), 20)
MANAGER = StopUnit("user@1000.service", restart=False, seconds=20)
SERVICE = StopUnit("monitor.service", restart=True, seconds=20)


def placed(*steps: Step) -> object:
    return [[list(group) for group in stage] for stage in stages(steps)]


def test_other_steps_stay_in_line() -> None:
    assert placed(INHIBIT, LOAD) == [[[INHIBIT, LOAD]]]


def test_functions_of_one_slot_stay_in_line_and_slots_go_side_by_side() -> None:
    assert placed(AUDIO, USB, VGA) == [[[AUDIO, VGA], [USB]]]


def test_what_belongs_to_a_device_goes_with_it() -> None:
    assert placed(PICTURE, AWAKE, USB, VGA) == [[[PICTURE, AWAKE, VGA], [USB]]]


def test_devices_wait_for_what_stands_before_them() -> None:
    assert placed(INHIBIT, USB, LOAD, VGA) == [[[INHIBIT]], [[USB]], [[LOAD]], [[VGA]]]


def test_consoles_go_with_the_one_card_they_may_be_on() -> None:
    consoles = ReleaseConsoles(20, (pcs.VGA,))
    assert placed(consoles, USB, VGA) == [[[consoles, VGA], [USB]]]


def test_consoles_of_two_cards_come_before_both() -> None:
    consoles = ReleaseConsoles(20, (pcs.VGA, pcs.DEVICES[2]))
    assert placed(consoles, USB, VGA) == [[[consoles]], [[USB], [VGA]]]


def test_the_desktop_ends_in_line() -> None:
    assert placed(SERVICE, DESKTOP, SESSIONS, MANAGER) == [[[SERVICE, DESKTOP, SESSIONS, MANAGER]]]


def test_a_controller_goes_beside_the_desktop_and_the_card_after_it() -> None:
    gate = ReleaseHolders((pcs.VGA,), 5, 5)
    there = [[[DESKTOP, MANAGER], [USB]], [[gate]], [[AUDIO, VGA]]]
    assert placed(USB, DESKTOP, MANAGER, gate, AUDIO, VGA) == there


def test_the_way_back_has_the_same_stages_when_the_gate_between_them_is_undone() -> None:
    entries = [Entry(USB, {}, 0), Entry(DESKTOP, {}, 0), Entry(AUDIO, {}, 2), Entry(VGA, {}, 2)]
    back = [[[e.step for e in group] for group in stage] for stage in stages_back(entries)]
    assert back == [[[VGA, AUDIO]], [[DESKTOP], [USB]]]


def test_nothing_is_lost_and_nothing_added() -> None:
    assert placed() == []
