"""Random orders of hook calls, ends of guests, kills, edits, unplugged devices and presses.

After each of them the host is the host's, the guest's, or stuck with a word about it; and in
the end everything is as before.
"""

import tempfile
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from hypothesis.strategies import integers, sampled_from

from tests.fakes import pcs
from tests.fakes.fault import Fault, Killed
from tests.fakes.rig import Rig
from vfiod.events import Kind
from vfiod.model import VFIO_DRIVER, Phase

TWO = pcs.configuration() + "  other:\n    devices: [0000:01:00.0, 0000:01:00.1]\n"
TEXTS = [TWO, "guests: [", "", "limits: {guest: 5, driver: 1}\n" + TWO]
GUESTS = ["win10", "other", "unknown"]
CURES = [None, "probe", "reset bus", "bus reset", "rediscovery", "reload", "nothing"]


class Host(RuleBasedStateMachine):
    """One PC, its daemon, and a libvirt that says anything at any time."""

    def __init__(self) -> None:
        super().__init__()
        self._directory = tempfile.TemporaryDirectory(prefix="vfiod-test-", dir="/dev/shm")
        self.rig = Rig(pcs.desktop(), Path(self._directory.name), TWO)
        self.qemu: int | None = None

    @rule(name=sampled_from(GUESTS))
    def prepare(self, name: str) -> None:
        devices = pcs.DEVICES[:2] if name == "other" else pcs.DEVICES
        self.rig.prepare(name, pcs.xml(devices, name=name))

    @precondition(lambda self: self.qemu is None)
    @rule(told=sampled_from([True, False]), iommufd=sampled_from([True, False]))
    def libvirt_starts_qemu(self, told: bool, iommufd: bool) -> None:  # noqa: FBT001
        if self.rig.phase is Phase.PREPARED:
            record = self.rig.journal.read()
            assert record is not None
            self.qemu = self.rig.host.start_guest(record.devices, iommufd=iommufd).pid
            if told:
                self.rig.outcome(self.rig.manager.started(record.guest))

    @precondition(lambda self: self.qemu is not None)
    @rule()
    def qemu_ends(self) -> None:
        assert self.qemu is not None
        self.rig.host.user.kill(self.qemu)
        self.qemu = None
        self.rig.watcher.look()
        self.rig.queue.run_all()

    @rule(name=sampled_from(GUESTS), reason=sampled_from(["shutdown", "crashed", "failed"]))
    def release(self, name: str, reason: str) -> None:
        record = self.rig.journal.read()
        if record is not None and record.guest == name:
            self.rig.host.libvirt.guests.clear()  # says so when it has cleaned up, or has given up
        with suppress(Killed):  # it writes that down in the caller's thread, not as a task
            self.rig.manager.release(name, reason)
        self.rig.queue.run_all()

    @rule(name=sampled_from(GUESTS))
    def started(self, name: str) -> None:
        self.rig.outcome(self.rig.manager.started(name))

    @rule(text=sampled_from(TEXTS))
    def edit(self, text: str) -> None:
        self.rig.text = text

    @rule(number=integers(1, 60), fault=sampled_from(list(Fault)))
    def something_will_go_wrong(self, number: int, fault: Fault) -> None:
        self.rig.host.effects.plan({number: fault})

    @rule()
    def restart(self) -> None:
        self.rig.recover()

    @rule(seconds=sampled_from([1, 10, 120]))
    def time_passes(self, seconds: int) -> None:
        self.rig.pass_time(seconds)

    @rule(force=sampled_from([True, False]))
    def somebody_asks(self, force: bool) -> None:  # noqa: FBT001
        self.rig.return_devices(force=force)

    @rule()
    def the_button_is_pressed(self) -> None:
        self.rig.watcher.press()
        self.rig.queue.run_all()

    @rule(cure=sampled_from(CURES))
    def the_card_falls_asleep(self, cure: str | None) -> None:
        self.rig.host.kernel.devices[pcs.VGA].cure = cure

    @rule()
    def the_kernel_answers_again(self) -> None:
        self.rig.host.effects.thaw()
        self.rig.watcher.look()
        self.rig.queue.run_all()

    @rule(name=sampled_from(GUESTS))
    def libvirt_gives_a_start_up(self, name: str) -> None:
        devices = pcs.DEVICES[:2] if name == "other" else pcs.DEVICES
        future = self.rig.manager.prepare(name, pcs.xml(devices, name=name))
        self.rig.manager.give_up(future)
        self.rig.queue.run_all()

    @rule(name=sampled_from(GUESTS), number=integers(1, 40))
    def the_service_is_stopped_in_a_start_and_started(self, name: str, number: int) -> None:
        numbers, effects = count(1), self.rig.host.effects

        def watch(_name: str) -> None:
            if next(numbers) == number:
                self.rig.manager.tasks.close()

        effects.barrier = watch
        devices = pcs.DEVICES[:2] if name == "other" else pcs.DEVICES
        self.rig.manager.prepare(name, pcs.xml(devices, name=name))
        self.rig.queue.run_all()
        effects.barrier = lambda _name: None
        self.rig.recover()

    @rule(seconds=sampled_from([0, 21, 90]))
    def the_display_manager_takes_its_time(self, seconds: int) -> None:
        self.rig.host.user.units["lightdm.service"].start_takes = seconds

    @rule()
    def rehearse(self) -> None:
        self.rig.rehearse()

    @invariant()
    def the_state_is_told_truly(self) -> None:
        rig = self.rig
        if rig.host.effects.is_dead:
            rig.host.effects.plan({})
            rig.recover()
        assert rig.host.kernel.mishaps == []
        if self.qemu is not None:
            record = rig.journal.read()
            assert record is not None
            drivers = {rig.host.pci.function(a).driver for a in record.devices}
            assert drivers == {VFIO_DRIVER}
        if rig.phase is Phase.STUCK:
            assert rig.messages(Kind.STUCK)
            assert rig.status.read()["faults"]

    def teardown(self) -> None:
        rig = self.rig
        rig.host.effects.plan({})
        rig.host.effects.thaw()
        rig.host.kernel.devices[pcs.VGA].cure = None
        rig.host.user.units["lightdm.service"].start_takes = 0
        rig.recover()
        if self.qemu is not None:
            self.qemu_ends()
        rig.pass_time(120)
        assert rig.return_devices(force=True) is None
        assert rig.phase is Phase.HOST
        assert rig.differences() == {}
        self._directory.cleanup()


@pytest.mark.exhaustive
def test_anything_in_any_order() -> None:
    checks: Any = settings(
        max_examples=150, stateful_step_count=25, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(Host, settings=checks)
