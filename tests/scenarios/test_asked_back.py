"""Devices that are asked back, or rehearsed with, in the moment in which a guest starts."""

from collections.abc import Callable
from concurrent.futures import Future

from tests.fakes import pcs
from tests.fakes.libvirt import UUID
from tests.fakes.rig import Rig
from vfiod.errors import Busy
from vfiod.events import Kind
from vfiod.model import VFIO_DRIVER, Phase


def once(rig: Rig, do: Callable[[], "Future[None]"]) -> "list[Future[None]]":
    """Do something at the first effect after the journal's beginning; what came of it."""
    done: list[Future[None]] = []

    def at_effect(_name: str) -> None:
        if not done and rig.path.exists():
            done.append(do())

    rig.host.effects.barrier = at_effect
    return done


def test_asked_back_during_a_handoff_its_start_is_given_up(rig: Rig) -> None:
    """Not granted first and pulled away then, when libvirt has begun to start QEMU."""
    asked = once(rig, rig.manager.return_devices)
    error = rig.prepare()
    assert isinstance(error, Busy)
    assert str(error) == "win10 was not started: its devices were asked back meanwhile"
    assert asked[0].exception(0) is None
    assert rig.messages(Kind.HANDOFF_COMPLETE) == []
    assert rig.differences() == {}


def test_what_was_asked_for_before_does_not_concern_the_next_start(rig: Rig) -> None:
    """The first one is dead, the second one is in the queue."""
    rig.prepare()
    started = rig.manager.prepare("win10", pcs.xml())
    asked = rig.manager.return_devices()
    rig.queue.run_all()
    assert started.exception(0) is None
    error = asked.exception(0)
    assert isinstance(error, Busy)
    assert str(error).startswith("what was asked back is home, and win10 is given the devices")
    assert rig.phase is Phase.PREPARED
    assert rig.drivers == [VFIO_DRIVER] * 3


def test_a_guest_that_libvirt_is_starting_keeps_its_devices(rig: Rig) -> None:
    rig.prepare()
    rig.host.libvirt.began(UUID, 4711, pcs.DEVICES)
    assert isinstance(rig.return_devices(), Busy)
    assert rig.drivers == [VFIO_DRIVER] * 3
    assert rig.return_devices(force=True) is None
    assert rig.differences() == {}


def test_a_rehearsal_takes_nothing_from_a_start_that_is_under_way(rig: Rig) -> None:
    rig.prepare()
    assert isinstance(rig.rehearse(), Busy)
    assert rig.phase is Phase.PREPARED
    assert rig.drivers == [VFIO_DRIVER] * 3
