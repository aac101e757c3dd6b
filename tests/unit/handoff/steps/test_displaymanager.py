"""The display manager ends, is started with the card, and shows something."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.host import FakeHost
from tests.fakes.shapes import with_vfio
from tests.fakes.userspace import FakeUnit, Program
from vfiod.errors import HostError, KernelStuck
from vfiod.handoff.steps.base import Prior
from vfiod.handoff.steps.codec import decode, encode
from vfiod.handoff.steps.devices import Detach
from vfiod.handoff.steps.displaymanager import (
    CHECKED,
    GREETER_SECONDS,
    STAYS_SECONDS,
    StopDisplayManager,
)
from vfiod.handoff.steps.ready import MONITOR_SECONDS
from vfiod.model import Session

SECONDS = 20.0
STEP = StopDisplayManager("lightdm.service", (pcs.VGA,), SECONDS, draws=True)
ALICE = Session("9", "alice", 1000, "seat0", "user", graphical=True, unit="session-9.scope")


def test_the_display_manager_is_not_started_on_a_card_without_a_driver() -> None:
    host = with_vfio(pcs.greeter())
    step = StopDisplayManager("lightdm.service", (pcs.VGA,), SECONDS)
    prior = step.observe(host)
    step.apply(host)
    Detach(pcs.VGA, SECONDS).apply(host)
    with pytest.raises(HostError) as caught:
        step.undo(host, prior)
    assert str(pcs.VGA) in caught.value.message
    assert caught.value.hint == "once that is set right, run: sudo systemctl start lightdm.service"
    assert "start lightdm.service" not in host.effects.log


def handed_back() -> tuple[FakeHost, StopDisplayManager, Prior]:
    """The display manager is stopped; the driver has the card, but its probe has not returned."""
    host = with_vfio(pcs.greeter())
    step = StopDisplayManager("lightdm.service", (pcs.VGA,), SECONDS)
    prior = step.observe(host)
    step.apply(host)
    host.pci.unbind(pcs.VGA, seconds=SECONDS)
    host.effects.plan({1: Fault.HANG})
    with pytest.raises(KernelStuck):
        host.pci.probe(pcs.VGA, seconds=SECONDS)
    assert host.pci.driver(pcs.VGA) == "amdgpu"
    return host, step, prior


def test_a_driver_link_is_no_display() -> None:
    host, step, prior = handed_back()
    with pytest.raises(HostError, match=f"the display {pcs.VGA} has no DRM node"):
        step.undo(host, prior)
    host.effects.thaw()
    step.undo(host, prior)
    assert host.units.unit("lightdm.service").active


def test_what_an_earlier_version_observed_is_enough() -> None:
    host, step, _ = handed_back()
    host.effects.thaw()
    step.undo(host, {"active": True})
    assert host.units.unit("lightdm.service").active


def test_a_monitor_is_waited_for_but_not_for_ever() -> None:
    host, step, prior = handed_back()
    host.effects.thaw()
    host.kernel.devices[pcs.VGA].monitor = False
    began = host.now()
    step.undo(host, prior)
    assert host.now() - began == MONITOR_SECONDS
    assert host.units.unit("lightdm.service").active


def test_a_step_of_an_earlier_version_does_not_know_whether_it_draws() -> None:
    written = encode(STEP)
    del written["draws"]
    assert decode(written) == replace(STEP, draws=False)


# Whether it shows anything


def again(host: FakeHost, step: StopDisplayManager = STEP, connected: Sequence[str] = ()) -> float:
    """Undo one of which a login screen was looked for in vain; the seconds that it took."""
    began = host.now()
    step.undo(host, {"active": True, CHECKED: True, "connected": list(connected)})
    return host.now() - began


def test_one_that_shows_something_is_left_as_it_is() -> None:
    host = pcs.greeter()
    assert again(host) == STAYS_SECONDS
    assert host.effects.log == []


def test_one_that_does_not_run_is_started_and_looked_at() -> None:
    host = pcs.greeter()
    host.user.stop("lightdm.service")
    assert again(host) == STAYS_SECONDS
    assert host.effects.log == ["start lightdm.service"]


def test_one_that_shows_nothing_is_stopped_first() -> None:
    host = pcs.greeter()
    for process in list(host.user.processes):
        host.user.kill(process)
    assert again(host) == GREETER_SECONDS + STAYS_SECONDS
    assert host.effects.log == ["stop lightdm.service", "start lightdm.service"]


def test_one_in_which_somebody_works_elsewhere_goes_on() -> None:
    host = pcs.greeter()
    for process in list(host.user.processes):
        host.user.kill(process)
    host.user.log_in(ALICE, Program("gnome-shell", uid=1000))
    (told,) = STEP.undo(host, {"active": True, CHECKED: True})
    assert "alice would lose what is open" in told
    assert "stop lightdm.service" not in host.effects.log


def test_one_whose_login_screens_take_turns_is_no_better() -> None:
    host = pcs.bare()
    greeter = Program("greeter", (pcs.VGA,), uid=105, lasts=1.5, respawn=0.1)
    host.user.add(FakeUnit("lightdm.service", (greeter,)))
    with pytest.raises(HostError, match="runs, but nothing of it keeps 0000:01"):
        again(host)


def test_a_login_screen_that_falls_back_to_another_way_is_one() -> None:
    """GDM tries Wayland first, then X."""
    host = pcs.bare()
    host.user.add(FakeUnit("lightdm.service", (Program("gnome-shell", (pcs.VGA,), lasts=2.0),)))
    host.clock.after(4.0, lambda: host.user.spawn(Program("Xorg", (pcs.VGA,)), "lightdm.service"))
    assert again(host) < GREETER_SECONDS
    assert host.effects.log == []


def test_one_that_a_start_is_under_way_of_is_not_stopped() -> None:
    host = pcs.greeter()
    host.user.stop("lightdm.service")
    host.user.units["lightdm.service"].is_starting = True
    assert STEP.end_if_dark(host) == ()
    assert host.effects.log == []


def test_who_cannot_be_seen_may_show_something(monkeypatch: pytest.MonkeyPatch) -> None:
    def unseen(_displays: object) -> None:
        raise HostError("who has which device open cannot be seen")

    host = pcs.greeter()
    monkeypatch.setattr(host.processes, "holders", unseen)
    assert STEP.end_if_dark(host) == ()
    with pytest.raises(HostError, match="cannot be seen"):
        again(host)


def in_vain() -> FakeHost:
    """A PC whose monitor is off, and whose display manager fails."""
    host = pcs.greeter()
    host.kernel.devices[pcs.VGA].monitor = False
    host.user.stop("lightdm.service")
    host.user.units["lightdm.service"].lasts = 0.5
    return host


def test_a_card_that_never_had_a_monitor_misses_none() -> None:
    with pytest.raises(HostError) as told:
        again(in_vain())
    assert "monitor" not in told.value.hint


def test_a_login_that_is_over_keeps_nothing_from_being_started_anew() -> None:
    host = pcs.greeter()
    host.user.sessions["9"] = replace(ALICE, closing=True)
    assert STEP.users(host) == []
    host.user.sessions["9"] = ALICE
    assert STEP.users(host) == ["alice"]


def test_what_is_left_to_do_is_told() -> None:
    with pytest.raises(HostError) as told:
        again(in_vain(), connected=[str(pcs.VGA)])
    assert told.value.message == "it was started anew and ended"
    assert told.value.hint.splitlines() == [
        "see that a monitor is on: none is seen at 0000:01:00.0",
        "log in on a text console meanwhile: Ctrl+Alt+F3",
    ]
