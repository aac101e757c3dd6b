"""A setting that the host does not take back: told with what to type, and no start is refused."""

from pathlib import Path
from typing import Any

import pytest

from tests.fakes import pcs
from tests.fakes.rig import Rig
from vfiod.errors import HostError, Stuck
from vfiod.events import Kind
from vfiod.model import VFIO_DRIVER, PciAddress, Phase, PowerPolicy

# A door, its method, what is told of it, and what is to be typed.
SETTINGS = [
    ("cpus", "set_governor", "restore the governors",
     "echo powersave | sudo tee /sys/devices/system/cpu/cpufreq/policy2/scaling_governor "),
    ("cpus", "set_default_irq_affinity", "let new interrupts go",
     "echo 000000ff | sudo tee /proc/irq/default_smp_affinity"),
    ("slices", "set_allowed_cpus", " its CPUs back",
     "sudo systemctl set-property --runtime system.slice AllowedCPUs="),
    ("hugepages", "resize", "give back the huge pages",
     "echo 10 | sudo tee /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"),
    ("pci", "set_power", f"restore the power settings of {pcs.USB}",
     f"echo auto | sudo tee /sys/bus/pci/devices/{pcs.USB}/power/control"),
    ("files", "unstage_rom", "remove the copy of the ROM", "sudo systemctl restart vfiod"),
    ("logins", "uninhibit", "allow sleep", "sudo systemctl restart vfiod"),
]  # fmt: skip


@pytest.fixture
def rig(run_directory: Path) -> Rig:
    return Rig(pcs.tuned(), run_directory)


def refuse(patch: pytest.MonkeyPatch, place: Any, name: str, *, times: int = 10_000) -> None:
    real, left = getattr(place, name), [times]

    def do(*arguments: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise HostError("Invalid argument")
        return real(*arguments)

    patch.setattr(place, name, do)


@pytest.mark.parametrize(("door", "name", "what", "typed"), SETTINGS)
def test_one_that_is_refused_for_good_is_told_and_no_start_is_refused_for_it(
    *, rig: Rig, door: str, name: str, what: str, typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = rig.start()
    refuse(monkeypatch, getattr(rig.host, door), name)
    rig.end_guest(pid)
    assert rig.phase is Phase.HOST
    assert rig.messages(Kind.STUCK) == []
    told = [text for text in rig.messages(Kind.REMARK) if "when that is set right" in text]
    assert any(what in text and "Invalid argument" in text for text in told)
    assert any(typed in text for text in told)
    assert not rig.path.exists()
    monkeypatch.undo()
    assert rig.prepare() is None


@pytest.mark.parametrize(("door", "name", "what", "typed"), SETTINGS)
def test_one_that_is_refused_once_is_restored(
    *, rig: Rig, door: str, name: str, what: str, typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = rig.start()
    refuse(monkeypatch, getattr(rig.host, door), name, times=1)
    rig.end_guest(pid)
    assert rig.differences() == {}
    assert typed not in str(rig.messages(Kind.REMARK))
    assert what in str(rig.messages(Kind.STEP_FAILED))


def test_beside_a_device_that_is_stuck_it_is_tried_again_with_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = rig.start()
    refuse(monkeypatch, rig.host.pci, "set_power")
    rig.host.kernel.drivers["xhci_hcd"].refuses = True
    rig.end_guest(pid)
    assert rig.phase is Phase.STUCK
    monkeypatch.undo()
    rig.host.kernel.drivers["xhci_hcd"].refuses = False
    assert rig.return_devices() is None
    assert rig.differences() == {}


def test_one_that_the_kernel_is_late_with_is_waited_for(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = rig.start()
    real = rig.host.pci.set_power

    def hang(address: PciAddress, policy: PowerPolicy) -> None:
        monkeypatch.undo()
        rig.host.effects.hang(
            "power", lambda: real(address, policy), subject=str(address), seconds=5
        )

    monkeypatch.setattr(rig.host.pci, "set_power", hang)
    rig.end_guest(pid)
    assert rig.phase is Phase.STUCK
    rig.host.effects.thaw()
    rig.pass_time(1)
    assert rig.differences() == {}


def test_a_start_that_fails_is_not_stuck_for_it(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, rig.host.files, "unstage_rom")
    rig.host.kernel.drivers[VFIO_DRIVER].refuses = True
    error = rig.prepare()
    assert error is not None
    assert not isinstance(error, Stuck)
    assert rig.phase is Phase.HOST


def test_what_an_earlier_version_called_stuck_is_over_at_its_successor(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = rig.start()
    refuse(monkeypatch, rig.host.pci, "set_power")
    monkeypatch.setattr("vfiod.handoff.recovery.settings.are_all", lambda _: False)
    rig.end_guest(pid)
    assert rig.status.read()["phase"] == "stuck"
    monkeypatch.undo()
    refuse(monkeypatch, rig.host.pci, "set_power")
    rig.recover()
    assert rig.status.read()["phase"] == "host"


def test_a_copy_that_cannot_be_removed_does_not_keep_a_new_daemon_from_looking(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = rig.start()
    refuse(monkeypatch, rig.host.files, "unstage_rom")
    rig.end_guest(pid)
    assert isinstance(rig.recover(), HostError)
    rig.host.kernel.devices[pcs.USB].wiped = True
    rig.pass_time(10)
    assert not rig.host.kernel.devices[pcs.USB].wiped
