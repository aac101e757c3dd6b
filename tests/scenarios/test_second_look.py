"""A return that got stuck beside a late libvirt: what is home is looked after all the same."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.host import FakeHost
from tests.fakes.rig import Rig
from tests.fakes.userspace import FakeUnit, Program
from tests.scenarios.test_late import spoil
from vfiod.errors import HostError
from vfiod.events import Kind
from vfiod.handoff.journal import Record
from vfiod.handoff.recovery import aftercare
from vfiod.host.door import Host
from vfiod.model import PciAddress, Phase, Session


@pytest.fixture
def rig(run_directory: Path) -> Rig:
    """Home but for the USB controller; libvirt has not cleaned up yet."""
    rig = Rig(pcs.greeter(), run_directory)
    pid = rig.start()
    rig.host.libvirt.hangs = True
    rig.host.kernel.drivers["xhci_hcd"].refuses = True
    rig.host.user.kill(pid)
    rig.watcher.look()
    rig.queue.run_all()
    assert rig.phase is Phase.STUCK
    return rig


def set_right(rig: Rig) -> None:
    rig.host.kernel.drivers["xhci_hcd"].refuses = False
    assert rig.return_devices() is None
    assert rig.phase is Phase.HOST


def wake_libvirt(rig: Rig) -> None:
    rig.pass_time(30)
    rig.host.libvirt.wake()
    rig.pass_time(60)
    assert rig.host.libvirt.guests == {}


def test_a_display_that_is_wiped_while_something_else_is_stuck_comes_back(rig: Rig) -> None:
    wake_libvirt(rig)
    (told,) = [text for text in rig.messages(Kind.STEP_FAILED) if "no answer any more" in text]
    assert str(pcs.VGA) in told
    assert not rig.host.kernel.devices[pcs.VGA].wiped
    assert rig.host.units.unit("lightdm.service").active
    assert rig.phase is Phase.STUCK
    (fault,) = rig.status.read()["faults"]
    assert fault.startswith("the host has its display, but not all of its devices")
    set_right(rig)
    assert rig.differences() == {}


def test_one_that_stays_dark_is_named_and_not_tried_for_ever(rig: Rig) -> None:
    rig.host.kernel.devices[pcs.VGA].cure = "nothing"
    wake_libvirt(rig)
    tries = len(rig.messages(Kind.RETURN_BEGUN))
    rig.pass_time(60)
    assert len(rig.messages(Kind.RETURN_BEGUN)) == tries == 2
    (fault,) = rig.status.read()["faults"]
    assert fault.startswith(f"the screen of {pcs.VGA} is dark")
    assert str(pcs.USB) in fault


def test_what_was_home_before_a_return_got_stuck_is_looked_after_once_it_is_over(rig: Rig) -> None:
    set_right(rig)
    wake_libvirt(rig)
    assert not any(device.wiped for device in rig.host.kernel.devices.values())
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_only_the_latest_try_is_looked_after(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []

    def watch(_host: Host, record: Record) -> bool:
        looks.append(record.since)
        return True

    for _ in range(3):
        rig.pass_time(10)
        assert rig.return_devices() is not None
    monkeypatch.setattr(aftercare, "needs_watching", watch)
    for _ in range(4):  # at the first of which a login screen is seen for the first time
        rig.pass_time(aftercare.SETTLE_SECONDS)
    assert len(looks) == 3
    assert len(set(looks)) == 1


def test_what_is_known_to_be_stuck_is_not_found_again(rig: Rig) -> None:
    """It may have its driver and be deaf for it: that would be tried for ever."""
    record = rig.journal.read()
    assert record is not None
    rig.host.kernel.drivers["xhci_hcd"].refuses = False
    rig.host.kernel.probe(pcs.USB)
    rig.host.kernel.devices[pcs.USB].wiped = True
    home = replace(record, entries=record.returning)
    assert list(aftercare.find_dead(rig.host, home)) == [pcs.USB]
    assert list(aftercare.find_dead(rig.host, home, record.entries)) == []


def test_a_display_without_a_screen_is_not_started_anew_while_something_is_stuck(rig: Rig) -> None:
    runs = rig.host.user.units["lightdm.service"].runs
    rig.host.kernel.devices[pcs.VGA].monitor = False
    rig.pass_time(60)
    assert rig.host.user.units["lightdm.service"].runs == runs


def test_nothing_is_left_of_it_when_libvirt_is_done(rig: Rig) -> None:
    rig.host.libvirt.guests.clear()
    rig.pass_time(10)
    assert [path.name for path in rig.path.parent.iterdir()] == [rig.path.name]


def test_a_daemon_that_is_started_anew_and_waits_looks_after_it_too(run_directory: Path) -> None:
    rig = Rig(pcs.greeter(), run_directory)
    pid = rig.start()
    rig.host.libvirt.hangs = True
    spoil(rig, f"probe {pcs.USB}", Fault.HANG)
    rig.host.user.kill(pid)
    rig.watcher.look()
    rig.queue.run_all()
    assert rig.phase is Phase.STUCK
    rig.recover()
    assert rig.phase is Phase.STUCK
    wake_libvirt(rig)
    assert not rig.host.kernel.devices[pcs.VGA].wiped
    assert rig.host.units.unit("lightdm.service").active


@pytest.mark.parametrize("make", [pcs.greeter, pcs.nvidia])
def test_a_card_that_stays_deaf_is_not_taken_back_for_ever(
    run_directory: Path, make: Callable[[], FakeHost]
) -> None:
    rig = Rig(make(), run_directory)
    rig.end_guest(rig.start())
    card = rig.host.kernel.devices[pcs.VGA]

    def go_deaf(_: str) -> None:
        card.wiped = True

    card.wiped, rig.host.effects.barrier = True, go_deaf
    for _ in range(60):
        rig.pass_time(5)
    assert rig.phase is Phase.STUCK
    assert len(rig.messages(Kind.RETURN_BEGUN)) == 2


@pytest.mark.parametrize("make", [pcs.greeter, pcs.nvidia])
def test_a_service_does_not_open_the_card_before_it_is_awake(
    run_directory: Path, make: Callable[[], FakeHost]
) -> None:
    host = make()
    host.user.add(FakeUnit("lactd.service", (Program("lact", (pcs.VGA,), respawn=0.2),)))
    rig = Rig(host, run_directory)
    pid = rig.start()
    host.libvirt.hangs = True
    host.user.kill(pid)
    rig.watcher.look()
    rig.queue.run_all()
    wake_libvirt(rig)
    assert rig.messages(Kind.REMEDY)
    assert rig.phase is Phase.HOST
    assert host.kernel.mishaps == []
    assert host.units.unit("lactd.service").active


# A look that fails says nothing about the card


ALICE = Session("9", "alice", 1000, "seat0", "user", graphical=True, unit="session-9.scope")


@pytest.fixture
def seen(run_directory: Path) -> Rig:
    """All is home, libvirt has not cleaned up yet, and alice works on the card."""
    rig = Rig(pcs.greeter(), run_directory)
    pid = rig.start()
    rig.host.libvirt.hangs = True
    rig.host.user.kill(pid)
    rig.watcher.look()
    rig.queue.run_all()
    assert rig.phase is Phase.HOST
    rig.host.user.log_in(ALICE, Program("gnome-shell", (pcs.VGA,), uid=1000))
    return rig


def works(rig: Rig) -> bool:
    return any(p.program.command == "gnome-shell" for p in rig.host.user.processes.values())


def fail(place: Any, name: str, patch: pytest.MonkeyPatch, *, times: int) -> list[int]:
    """Have the next calls fail, for want of anything but the card; those that are left."""
    real, left = getattr(place, name), [times]

    def ask(*arguments: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise HostError("no process can be started: Too many open files")
        return real(*arguments)

    patch.setattr(place, name, ask)
    return left


@pytest.mark.parametrize("times", [1, 2, 50])
@pytest.mark.parametrize("what", ["fault", "journal"])
def test_a_look_that_fails_ends_nobodys_desktop_and_is_repeated(
    *, seen: Rig, what: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = len(seen.host.effects.log)
    place, name = (seen.host.pci, "fault") if what == "fault" else (seen.journal, "read")
    left = fail(place, name, monkeypatch, times=times)
    seen.pass_time(aftercare.SETTLE_SECONDS * (times + 1))
    assert left == [0]
    assert works(seen)
    assert seen.host.effects.log[log:] == []
    wake_libvirt(seen)
    assert not seen.host.kernel.devices[pcs.VGA].wiped
    assert seen.phase is Phase.HOST


def test_a_card_that_is_found_dead_once_is_left_alone(
    seen: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has just been woken up, say."""
    real, left = seen.host.pci.fault, [1]

    def fault(address: PciAddress) -> str | None:
        if address == pcs.VGA and left[0]:
            left[0] -= 1
            return "it reads as ff"
        return real(address)

    monkeypatch.setattr(seen.host.pci, "fault", fault)
    log = len(seen.host.effects.log)
    seen.pass_time(60)
    assert left == [0]
    assert works(seen)
    assert seen.host.effects.log[log:] == []


def test_a_device_that_is_gone_is_found_dead(seen: Rig) -> None:
    seen.host.kernel.unplug(pcs.USB)
    seen.pass_time(60)
    (told,) = [text for text in seen.messages(Kind.STEP_FAILED) if "no answer any more" in text]
    assert f"the device {pcs.USB} is not there" in told
    assert works(seen)


def test_what_can_never_be_looked_at_is_told_in_the_end(
    seen: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(seen.host.pci, "fault", monkeypatch, times=10_000)
    seen.pass_time(aftercare.WATCH_SECONDS + 60)
    (told,) = seen.messages(Kind.STEP_FAILED)
    assert told.startswith(f"could not go on: whether {pcs.USB} answers is not known: no process")
    assert works(seen)
    assert list(seen.path.parent.iterdir()) == []


def test_one_that_is_dead_is_taken_back_beside_one_that_cannot_be_looked_at(
    seen: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = seen.host.pci.fault

    def fault(address: PciAddress) -> str | None:
        if address == pcs.AUDIO:
            raise HostError("the process for it did not start")
        return real(address)

    seen.host.kernel.devices[pcs.USB].wiped = True
    monkeypatch.setattr(seen.host.pci, "fault", fault)
    seen.pass_time(10)
    assert not seen.host.kernel.devices[pcs.USB].wiped
