"""A device that does not come back: which remedies are tried, in which order, and for whom."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.host import FakeHost
from tests.fakes.kernel import Device
from tests.fakes.rig import Rig
from tests.fakes.userspace import Program
from vfiod.events import Kind
from vfiod.handoff.steps.devices import AWAKE
from vfiod.model import PciAddress, PciFunction, Phase

WITH_SLEEP = "suspend_to_reset: true\n" + pcs.configuration()
WITH_REBOOT = "on_stuck: reboot\n" + pcs.configuration()
CURES = ["probe", "reset pm", "reset bus", "bus reset", "rediscovery", "reload", "sleep"]


def after_guest(
    directory: Path, cure: str | None, text: str = WITH_SLEEP, *, device: PciAddress = pcs.VGA
) -> Rig:
    """A guest has ended and left a device that only ``cure`` wakes."""
    rig = Rig(pcs.desktop(), directory, text)
    pid = rig.start()
    rig.host.kernel.devices[device].cure = cure
    rig.end_guest(pid)
    return rig


def remedies(rig: Rig) -> list[str]:
    return [message.split(" (")[0].split(":")[0] for message in rig.messages(Kind.REMEDY)]


def resets(rig: Rig) -> list[str]:
    """What was done to wake a device."""
    verbs = ("reset ", "rediscover ", "unload ", "sleep", "reboot")
    return [name for name in rig.host.effects.log if name.startswith(verbs)]


@pytest.mark.parametrize("cure", CURES)
def test_the_display_comes_back_at_the_remedy_that_wakes_it(cure: str, run_directory: Path) -> None:
    rig = after_guest(run_directory, cure)
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}
    assert rig.host.units.unit("lightdm.service").active


@pytest.mark.parametrize(("number", "cure"), list(enumerate(CURES)))
def test_no_remedy_is_tried_after_the_one_that_helped(
    number: int, cure: str, run_directory: Path
) -> None:
    rig = after_guest(run_directory, cure)
    done = ["reset 0000:01:00.0 pm", "reset 0000:01:00.0 bus", "reset bus of 0000:01:00.0",
            "rediscover 0000:01:00.0", "unload amdgpu", "sleep"]  # fmt: skip
    assert resets(rig) == done[:number]


def test_a_device_that_comes_back_by_itself_is_left_alone(run_directory: Path) -> None:
    rig = after_guest(run_directory, None)
    assert resets(rig) == []
    assert rig.messages(Kind.REMEDY) == []


def test_without_permission_the_host_is_not_suspended(run_directory: Path) -> None:
    rig = after_guest(run_directory, "sleep", pcs.configuration())
    assert "sleep" not in resets(rig)
    assert rig.phase is Phase.STUCK


def test_the_host_is_suspended_for_a_display_only(run_directory: Path) -> None:
    rig = after_guest(run_directory, "sleep", device=pcs.USB)
    assert "sleep" not in resets(rig)
    assert rig.host.units.unit("lightdm.service").active


def test_the_end_of_the_recovery_says_what_was_tried_and_what_a_reboot_does(
    run_directory: Path,
) -> None:
    rig = after_guest(run_directory, "nothing", pcs.configuration())
    (text,) = rig.messages(Kind.STUCK)
    assert (
        "tried in vain: probe 0000:01:00.0 again, reset 0000:01:00.0 (pm), reset 0000:01:00.0 "
        "(bus), reset the bus of 0000:01:00.0, remove 0000:01:00.0 and look for it again, "
        "load the module amdgpu anew" in text
    )
    assert "a reboot brings all of it back" in text
    assert "vfiod return --force" in text
    assert rig.status.read()["faults"] == [text]


def test_a_module_that_serves_another_device_is_not_reloaded(run_directory: Path) -> None:
    rig = Rig(pcs.desktop(), run_directory)
    second = PciAddress.parse("0000:04:00.0")
    card = PciFunction(second, 0x1002, 0x73BF, 0x030000, group=20)
    rig.host.kernel.add(Device(card, "amdgpu"), "amdgpu")
    pid = rig.start()
    rig.host.kernel.devices[pcs.VGA].cure = "reload"
    rig.end_guest(pid)
    assert "unload amdgpu" not in resets(rig)
    assert rig.phase is Phase.STUCK


def test_a_hanging_kernel_call_ends_the_recovery_for_its_device(run_directory: Path) -> None:
    rig = Rig(pcs.desktop(), run_directory)
    pid = rig.start()
    log = rig.host.effects.log
    rig.host.user.kill(pid)
    rig.host.effects.plan({unbind_of(rig, pcs.VGA): Fault.HANG})
    log.clear()
    rig.manager.release("win10", "shutdown")
    rig.queue.run_all()
    assert rig.phase is Phase.STUCK
    assert [name for name in resets(rig) if str(pcs.VGA) in name] == []


def unbind_of(rig: Rig, address: PciAddress) -> int:
    """The number of the effect that will unbind it on the way back."""
    other = Rig(pcs.desktop(), rig.path.parent / "other")
    other.path.parent.mkdir()
    pid = other.start()
    other.host.effects.log.clear()
    other.end_guest(pid)
    return other.host.effects.log.index(f"unbind {address}") + 1


def test_a_device_a_guest_holds_is_not_touched(run_directory: Path) -> None:
    """QEMU cannot be killed: it has the group open for ever."""
    rig = Rig(pcs.desktop(), run_directory)
    rig.start()
    rig.host.libvirt.give_up()
    rig.manager.release("win10", "destroyed")
    rig.queue.run_all()
    assert rig.phase is Phase.STUCK
    assert resets(rig) == []
    assert rig.host.kernel.mishaps == []


def test_a_failed_handoff_recovers_too(run_directory: Path) -> None:
    """The guest never ran, but the card does not like to be unbound."""
    rig = Rig(pcs.desktop(), run_directory)
    rig.host.kernel.devices[pcs.VGA].cure = "reset bus"
    rig.host.kernel.drivers["vfio-pci"].refuses = True
    assert rig.prepare() is not None
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


# What sleeps, and the port above it, takes no reset and is not found


def asleep(rig: Rig, address: PciAddress = pcs.VGA) -> list[str]:
    """From now on: the remedies that met the device other than kept awake."""
    met: list[str] = []
    device = rig.host.kernel.devices[address]

    def look(name: str) -> None:
        if name.startswith(("reset", "rediscover")) and device.power != AWAKE:
            met.append(f"{name}: {device.power}")

    rig.host.effects.barrier = look
    return met


@pytest.mark.parametrize("cure", CURES)
def test_each_remedy_finds_the_device_awake(cure: str, run_directory: Path) -> None:
    rig = Rig(pcs.desktop(), run_directory, WITH_SLEEP)
    pid = rig.start()
    rig.host.kernel.devices[pcs.VGA].cure = cure
    met = asleep(rig)
    rig.end_guest(pid)
    assert met == []
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_also_where_it_was_home_and_is_found_dead_a_little_later(run_directory: Path) -> None:
    rig = after_guest(run_directory, None)
    device = rig.host.kernel.devices[pcs.VGA]
    device.wiped = True
    met = asleep(rig)
    rig.pass_time(60)
    assert any(name.startswith("rediscover") for name in rig.host.effects.log)
    assert met == []
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_what_got_stuck_is_awake_when_a_person_insists(run_directory: Path) -> None:
    rig = after_guest(run_directory, "nothing", pcs.configuration())
    rig.recover()
    met = asleep(rig)
    assert rig.return_devices(force=True) is not None
    assert "reset 0000:01:00.0 pm" in resets(rig)
    assert met == []


# A person insists


def test_return_undoes_once_more_but_resets_only_by_force(run_directory: Path) -> None:
    rig = after_guest(run_directory, "nothing", pcs.configuration())
    rig.host.effects.log.clear()
    assert rig.return_devices() is not None
    assert resets(rig) == []
    error = rig.return_devices(force=True)
    assert "tried in vain" in str(error)
    assert "--force" not in str(error)
    rig.host.kernel.devices[pcs.VGA].cure = "reset bus"
    assert rig.return_devices() is not None
    assert rig.return_devices(force=True) is None
    assert rig.differences() == {}


def test_a_reset_by_another_hand_is_enough_for_a_return(run_directory: Path) -> None:
    rig = after_guest(run_directory, "nothing", pcs.configuration())
    rig.host.kernel.devices[pcs.VGA].cure = None
    assert rig.return_devices() is None
    assert rig.differences() == {}


# The last resort


def settled(directory: Path, cure: str, *, device: PciAddress = pcs.VGA) -> Rig:
    rig = Rig(pcs.desktop(), directory, WITH_REBOOT)
    rig.host.clock.advance(600)
    pid = rig.start()
    rig.host.kernel.devices[device].cure = cure
    rig.end_guest(pid)
    return rig


def test_on_stuck_reboot_reboots(run_directory: Path) -> None:
    rig = settled(run_directory, "nothing")
    assert rig.host.effects.log[-1] == "reboot"
    assert "rebooting the host, as on_stuck: reboot says" in rig.messages(Kind.REMARK)
    told = rig.status.read()["faults"][0]
    assert "the host is rebooted now, as on_stuck: reboot says" in told
    assert "does not go on by itself" not in told


def test_a_host_that_has_its_display_is_not_rebooted(run_directory: Path) -> None:
    rig = settled(run_directory, "nothing", device=pcs.USB)
    assert rig.phase is Phase.STUCK
    assert "reboot" not in rig.host.effects.log


def test_on_stuck_wait_does_not_reboot(run_directory: Path) -> None:
    rig = after_guest(run_directory, "nothing")
    assert "reboot" not in rig.host.effects.log


def test_a_host_that_was_just_booted_is_not_rebooted(run_directory: Path) -> None:
    rig = Rig(young(pcs.desktop()), run_directory, WITH_REBOOT)
    pid = rig.start()
    rig.host.kernel.devices[pcs.VGA].cure = "nothing"
    rig.end_guest(pid)
    assert "reboot" not in rig.host.effects.log
    assert any("has only just been booted" in text for text in rig.messages(Kind.REMARK))
    assert "rebooted now" not in rig.status.read()["faults"][0]


def young(host: FakeHost) -> FakeHost:
    host.clock.time = 30.0
    return host


def test_a_bus_that_a_guest_shares_is_not_reset(run_directory: Path) -> None:
    rig = Rig(pcs.desktop(), run_directory)
    beside = PciAddress.parse("0000:01:01.0")
    rig.host.kernel.add(Device(PciFunction(beside, 1, 2, 0x020000, group=30), None), None)
    pid = rig.start()
    rig.host.user.spawn(Program("qemu-other"), "", ["/dev/vfio/30"])
    rig.host.kernel.devices[pcs.VGA].cure = "bus reset"
    rig.end_guest(pid)
    assert f"a guest has {beside}, on the same bus" in "".join(rig.messages(Kind.REMEDY))
    assert rig.host.kernel.mishaps == []
    assert "reset bus of 0000:01:00.0" not in resets(rig)


def beside_the_card(
    directory: Path, code: int, vendor: int = 0x1002, *, slot: int = 0, uses: tuple[str, ...] = ()
) -> Rig:
    """A third function on the card's bus, and a display that only a reset of the bus wakes."""
    host = pcs.desktop()
    address = PciAddress(0, 1, slot, 2)
    function = PciFunction(address, vendor, 0x15E0, code, group=30)
    rig = Rig(host, directory)
    pid = rig.start()  # before: a start wants all of a card
    host.kernel.add(Device(function, "xhci_hcd", in_use_by=uses), "xhci_hcd")
    host.kernel.devices[pcs.VGA].cure = "bus reset"
    rig.end_guest(pid)
    return rig


def test_a_bus_that_carries_a_disk_of_the_host_is_not_reset(run_directory: Path) -> None:
    rig = beside_the_card(run_directory, 0x0C0330, uses=("the mounted file system /",))
    assert rig.phase is Phase.STUCK
    assert "reset bus of 0000:01:00.0" not in resets(rig)
    assert rig.host.pci.driver(PciAddress.parse("0000:01:00.2")) == "xhci_hcd"
    assert (
        "not tried: reset the bus of 0000:01:00.0: the mounted file system / is on "
        "0000:01:00.2, on the same bus" in rig.status.read()["faults"][0]
    )


@pytest.mark.parametrize(
    ("code", "slot"),
    [(0x108000, 0), (0x020000, 1)],
    ids=["a processor's graphics", "another slot of a bus without ports"],
)
def test_a_bus_that_carries_another_device_is_not_reset(
    run_directory: Path, code: int, slot: int
) -> None:
    rig = beside_the_card(run_directory, code, 0x1022, slot=slot)
    assert rig.phase is Phase.STUCK
    assert not [name for name in rig.host.effects.log if f"01:0{slot}.2" in name]
    assert "on the same bus is no part of the card" in rig.status.read()["faults"][0]


def test_a_card_s_own_usb_controller_is_reset_with_it(run_directory: Path) -> None:
    rig = beside_the_card(run_directory, 0x0C0330)
    assert rig.phase is Phase.HOST
    assert "reset bus of 0000:01:00.0" in resets(rig)
    assert rig.host.pci.driver(PciAddress.parse("0000:01:00.2")) == "xhci_hcd"
    assert rig.host.kernel.mishaps == []


def test_a_virtual_function_is_never_removed(run_directory: Path) -> None:
    """No scan of a bus finds it again."""
    rig = Rig(pcs.desktop(), run_directory)
    device = rig.host.kernel.devices[pcs.USB]
    device.function = replace(device.function, physical=pcs.DISK)
    pid = rig.start()
    device.cure = "nothing"
    rig.end_guest(pid)
    assert rig.phase is Phase.STUCK
    assert not [name for name in rig.host.effects.log if name.startswith("rediscover")]
    device.cure = None
    assert rig.return_devices() is None
    assert rig.differences() == {}


def test_what_is_home_already_has_its_driver_again_after_a_bus_reset(run_directory: Path) -> None:
    rig = after_guest(run_directory, "bus reset")
    assert rig.host.pci.driver(pcs.AUDIO) == "snd_hda_intel"
    assert rig.host.kernel.mishaps == []
