"""Steps about the picture."""

import pytest

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from tests.fakes.shapes import firmware, with_vfio
from vfiod.errors import HostError, TimedOut
from vfiod.handoff.steps.base import Notes
from vfiod.handoff.steps.devices import Detach
from vfiod.handoff.steps.screen import AwaitDisplay, ReleaseConsoles, UnbindFramebuffer
from vfiod.model import VFIO_DRIVER

SECONDS = 20.0


# Picture


def test_consoles_are_found_by_name() -> None:
    host = pcs.bare()
    ReleaseConsoles(SECONDS).apply(host)
    assert host.effects.log == ["console vtcon1 False"]


def test_a_console_that_does_not_let_go_is_an_error() -> None:
    host = pcs.bare()
    host.kernel.fbcon_is_stuck = True
    with pytest.raises(HostError) as caught:
        ReleaseConsoles(SECONDS).apply(host)
    assert "vtcon1" in caught.value.message
    assert "release_consoles: false" in caught.value.hint


def test_a_console_that_was_unbound_before_stays_so() -> None:
    host = pcs.bare()
    host.kernel.fbcon = False
    step = ReleaseConsoles(SECONDS)
    prior = step.observe(host)
    step.apply(host)
    step.undo(host, prior)
    assert host.kernel.fbcon is False


def test_a_console_that_vanished_is_waited_for() -> None:
    host = with_vfio(pcs.bare())
    step, detach = ReleaseConsoles(SECONDS), Detach(pcs.VGA, SECONDS)
    priors = step.observe(host), detach.observe(host)
    step.apply(host)
    detach.apply(host)
    assert not host.screen.consoles()
    host.kernel.drivers["amdgpu"].node_after = 3.0
    detach.undo(host, priors[1])
    assert step.undo(host, priors[0]) == ()
    assert host.kernel.fbcon is True


def test_a_console_that_never_comes_back_is_a_remark() -> None:
    host = pcs.bare()
    step = ReleaseConsoles(SECONDS)
    prior = step.observe(host)
    host.kernel.fbcon = None
    assert "stay dark" in step.undo(host, prior)[0]


def test_a_firmware_framebuffer_that_vfio_pci_took_for_good_is_no_error() -> None:
    host = with_vfio(firmware())
    step = UnbindFramebuffer(pcs.EFIFB.device, pcs.EFIFB.driver)
    prior = step.observe(host)
    step.apply(host)
    Detach(pcs.VGA, SECONDS).apply(host)
    assert step.undo(host, prior) == ()
    assert host.screen.framebuffers() == []


def awaited(host: FakeHost, **changes: object) -> Notes:
    step = AwaitDisplay(pcs.VGA, SECONDS)
    prior = step.observe(host)
    for name, value in changes.items():
        setattr(host.kernel.device(pcs.VGA), name, value)
    return step.undo(host, prior)


def test_a_display_that_is_there_is_not_waited_for() -> None:
    host = pcs.bare()
    assert awaited(host) == ()
    assert host.now() == 1000.0


def test_a_display_without_its_node_is_an_error() -> None:
    with pytest.raises(TimedOut) as caught:
        awaited(pcs.bare(), nodes=())
    assert str(pcs.VGA) in caught.value.message
    assert "within 20 s" in caught.value.message
    assert "journalctl -k -b" in caught.value.hint


def test_a_display_with_another_driver_is_an_error() -> None:
    with pytest.raises(TimedOut, match="it should have amdgpu and a DRM node, it has vfio-pci"):
        awaited(pcs.bare(), driver=VFIO_DRIVER)


def test_a_display_whose_driver_had_no_node_needs_none() -> None:
    host = pcs.bare()
    host.kernel.device(pcs.VGA).nodes = ()
    assert awaited(host) == ()


def test_a_display_without_a_driver_is_probed_once_more() -> None:
    host = pcs.bare()
    step = AwaitDisplay(pcs.VGA, SECONDS)
    prior = step.observe(host)
    host.kernel.begin_unbind(pcs.VGA)
    host.kernel.finish_unbind(pcs.VGA)
    assert step.undo(host, prior) == ()
    assert host.effects.log == [f"probe {pcs.VGA}"]


def test_a_display_that_had_no_driver_before_is_not_waited_for() -> None:
    host = pcs.bare(vga=None)
    assert awaited(host) == ()
    assert host.effects.log == []


def test_a_monitor_that_was_pulled_is_a_remark() -> None:
    notes = awaited(pcs.bare(), monitor=False)
    assert notes == (f"no monitor is connected to {pcs.VGA} now; one was before",)


def test_another_number_is_told_with_the_name_that_stays() -> None:
    """The firmware's framebuffer (simpledrm) had card0 until the first handoff."""
    (note,) = awaited(pcs.bare(), nodes=("/dev/dri/card1",))
    assert note.startswith(f"{pcs.VGA} is card1 now, it was card0: ")
    assert f"$(readlink -f /dev/dri/by-path/pci-{pcs.VGA}-card)" in note


def test_what_an_older_version_journaled_knows_no_number() -> None:
    host = pcs.bare()
    step = AwaitDisplay(pcs.VGA, SECONDS)
    prior = {key: value for key, value in step.observe(host).items() if key != "names"}
    host.kernel.device(pcs.VGA).nodes = ("/dev/dri/card1",)
    assert step.undo(host, prior) == ()


def test_a_display_that_has_lost_its_addresses_is_not_waited_for_long() -> None:
    host = pcs.greeter()
    step = AwaitDisplay(pcs.VGA, 20)
    prior = step.observe(host)
    host.kernel.reset_bus(pcs.VGA)
    began = host.now()
    with pytest.raises(TimedOut, match="lost its addresses"):
        step.undo(host, prior)
    assert host.now() - began < 5
