"""A device that does not come back: which remedies are tried, in which order, and for whom."""

from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.host import FakeHost
from tests.fakes.kernel import Device
from tests.fakes.rig import Bench
from tests.fakes.userspace import Program
from vfiod.events import Kind
from vfiod.model import PciAddress, PciFunction, Phase

WITH_SLEEP = "suspend_to_reset: true\n" + pcs.configuration()
WITH_REBOOT = "on_stuck: reboot\n" + pcs.configuration()
CURES = ["probe", "reset pm", "reset bus", "bus reset", "rediscovery", "reload", "sleep"]


def after_guest(
    directory: Path, cure: str | None, text: str = WITH_SLEEP, *, device: PciAddress = pcs.VGA
) -> Bench:
    """A guest has ended and left a device that only ``cure`` wakes."""
    bench = Bench(pcs.desktop(), directory, text)
    pid = bench.start()
    bench.host.kernel.devices[device].cure = cure
    bench.end_guest(pid)
    return bench


def remedies(bench: Bench) -> list[str]:
    return [message.split(" (")[0].split(":")[0] for message in bench.messages(Kind.REMEDY)]


def resets(bench: Bench) -> list[str]:
    """What was done to wake a device."""
    verbs = ("reset ", "rediscover ", "unload ", "sleep", "reboot")
    return [name for name in bench.host.effects.log if name.startswith(verbs)]


@pytest.mark.parametrize("cure", CURES)
def test_the_display_comes_back_at_the_remedy_that_wakes_it(cure: str, run_directory: Path) -> None:
    bench = after_guest(run_directory, cure)
    assert bench.phase is Phase.HOST
    assert bench.differences() == {}
    assert bench.host.units.unit("lightdm.service").active


@pytest.mark.parametrize(("number", "cure"), list(enumerate(CURES)))
def test_no_remedy_is_tried_after_the_one_that_helped(
    number: int, cure: str, run_directory: Path
) -> None:
    bench = after_guest(run_directory, cure)
    done = ["reset 0000:01:00.0 pm", "reset 0000:01:00.0 bus", "reset bus of 0000:01:00.0",
            "rediscover 0000:01:00.0", "unload amdgpu", "sleep"]  # fmt: skip
    assert resets(bench) == done[:number]


def test_a_device_that_comes_back_by_itself_is_left_alone(run_directory: Path) -> None:
    bench = after_guest(run_directory, None)
    assert resets(bench) == []
    assert bench.messages(Kind.REMEDY) == []


def test_without_permission_the_host_is_not_suspended(run_directory: Path) -> None:
    bench = after_guest(run_directory, "sleep", pcs.configuration())
    assert "sleep" not in resets(bench)
    assert bench.phase is Phase.STUCK


def test_the_host_is_suspended_for_a_display_only(run_directory: Path) -> None:
    bench = after_guest(run_directory, "sleep", device=pcs.USB)
    assert "sleep" not in resets(bench)
    assert bench.host.units.unit("lightdm.service").active


def test_the_end_of_the_recovery_says_what_was_tried_and_what_a_reboot_does(
    run_directory: Path,
) -> None:
    bench = after_guest(run_directory, "nothing", pcs.configuration())
    (text,) = bench.messages(Kind.STUCK)
    assert (
        "tried in vain: probe 0000:01:00.0 again, reset 0000:01:00.0 (pm), reset 0000:01:00.0 "
        "(bus), reset the bus of 0000:01:00.0, remove 0000:01:00.0 and look for it again, "
        "load the module amdgpu anew" in text
    )
    assert "rebooting the host brings everything back" in text
    assert "vfiod return --force" in text
    assert bench.status.read()["faults"] == [text]


def test_a_module_that_serves_another_device_is_not_reloaded(run_directory: Path) -> None:
    bench = Bench(pcs.desktop(), run_directory)
    second = PciAddress.parse("0000:04:00.0")
    card = PciFunction(second, 0x1002, 0x73BF, 0x030000, group=20)
    bench.host.kernel.add(Device(card, "amdgpu"), "amdgpu")
    pid = bench.start()
    bench.host.kernel.devices[pcs.VGA].cure = "reload"
    bench.end_guest(pid)
    assert "unload amdgpu" not in resets(bench)
    assert bench.phase is Phase.STUCK


def test_a_hanging_kernel_call_ends_the_recovery_for_its_device(run_directory: Path) -> None:
    bench = Bench(pcs.desktop(), run_directory)
    pid = bench.start()
    log = bench.host.effects.log
    bench.host.user.kill(pid)
    bench.host.effects.plan({unbind_of(bench, pcs.VGA): Fault.HANG})
    log.clear()
    bench.manager.release("win10", "shutdown")
    bench.queue.run_all()
    assert bench.phase is Phase.STUCK
    assert [name for name in resets(bench) if str(pcs.VGA) in name] == []


def unbind_of(bench: Bench, address: PciAddress) -> int:
    """The number of the effect that will unbind it on the way back."""
    other = Bench(pcs.desktop(), bench.path.parent / "other")
    other.path.parent.mkdir()
    pid = other.start()
    other.host.effects.log.clear()
    other.end_guest(pid)
    return other.host.effects.log.index(f"unbind {address}") + 1


def test_a_device_a_guest_holds_is_not_touched(run_directory: Path) -> None:
    """QEMU cannot be killed: it has the group open for ever."""
    bench = Bench(pcs.desktop(), run_directory)
    bench.start()
    bench.manager.release("win10", "destroyed")
    bench.queue.run_all()
    assert bench.phase is Phase.STUCK
    assert resets(bench) == []
    assert bench.host.kernel.mishaps == []


def test_a_failed_handoff_recovers_too(run_directory: Path) -> None:
    """The guest never ran, but the card does not like to be unbound."""
    bench = Bench(pcs.desktop(), run_directory)
    bench.host.kernel.devices[pcs.VGA].cure = "reset bus"
    bench.host.kernel.drivers["vfio-pci"].refuses = True
    assert bench.prepare() is not None
    assert bench.phase is Phase.HOST
    assert bench.differences() == {}


# A person insists


def test_return_undoes_once_more_but_resets_only_by_force(run_directory: Path) -> None:
    bench = after_guest(run_directory, "nothing", pcs.configuration())
    bench.host.effects.log.clear()
    assert bench.return_devices() is not None
    assert resets(bench) == []
    bench.host.kernel.devices[pcs.VGA].cure = "reset bus"
    assert bench.return_devices() is not None
    assert bench.return_devices(force=True) is None
    assert bench.differences() == {}


def test_a_reset_by_another_hand_is_enough_for_a_return(run_directory: Path) -> None:
    bench = after_guest(run_directory, "nothing", pcs.configuration())
    bench.host.kernel.devices[pcs.VGA].cure = None
    assert bench.return_devices() is None
    assert bench.differences() == {}


# The last resort


def settled(directory: Path, cure: str, *, device: PciAddress = pcs.VGA) -> Bench:
    bench = Bench(pcs.desktop(), directory, WITH_REBOOT)
    bench.host.clock.advance(600)
    pid = bench.start()
    bench.host.kernel.devices[device].cure = cure
    bench.end_guest(pid)
    return bench


def test_on_stuck_reboot_reboots(run_directory: Path) -> None:
    bench = settled(run_directory, "nothing")
    assert bench.host.effects.log[-1] == "reboot"
    assert "rebooting the host, as on_stuck: reboot says" in bench.messages(Kind.REMARK)


def test_a_host_that_has_its_display_is_not_rebooted(run_directory: Path) -> None:
    bench = settled(run_directory, "nothing", device=pcs.USB)
    assert bench.phase is Phase.STUCK
    assert "reboot" not in bench.host.effects.log


def test_on_stuck_wait_does_not_reboot(run_directory: Path) -> None:
    bench = after_guest(run_directory, "nothing")
    assert "reboot" not in bench.host.effects.log


def test_a_host_that_was_just_booted_is_not_rebooted(run_directory: Path) -> None:
    bench = Bench(young(pcs.desktop()), run_directory, WITH_REBOOT)
    pid = bench.start()
    bench.host.kernel.devices[pcs.VGA].cure = "nothing"
    bench.end_guest(pid)
    assert "reboot" not in bench.host.effects.log
    assert any("has only just been booted" in text for text in bench.messages(Kind.REMARK))


def young(host: FakeHost) -> FakeHost:
    host.clock.time = 30.0
    return host


def test_a_bus_that_a_guest_shares_is_not_reset(run_directory: Path) -> None:
    bench = Bench(pcs.desktop(), run_directory)
    beside = PciAddress.parse("0000:01:01.0")
    bench.host.kernel.add(Device(PciFunction(beside, 1, 2, 0x020000, group=30), None), None)
    pid = bench.start()
    bench.host.user.spawn(Program("qemu-other"), "", ["/dev/vfio/30"])
    bench.host.kernel.devices[pcs.VGA].cure = "bus reset"
    bench.end_guest(pid)
    assert f"a guest has {beside}, on the same bus" in "".join(bench.messages(Kind.REMEDY))
    assert bench.host.kernel.mishaps == []
    assert "reset bus of 0000:01:00.0" not in resets(bench)


def test_what_is_home_already_has_its_driver_again_after_a_bus_reset(run_directory: Path) -> None:
    bench = after_guest(run_directory, "bus reset")
    assert bench.host.pci.driver(pcs.AUDIO) == "snd_hda_intel"
    assert bench.host.kernel.mishaps == []
