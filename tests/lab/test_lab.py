"""The lab itself: does it show, hold and hand over what vfiod will be tested on?"""

from __future__ import annotations

import pytest

from . import byhand, checks, guest
from .emulator.hardware import AUDIO, FUNCTIONS, GPU, USB
from .emulator.machine import Lab
from .guest import Guest

pytestmark = pytest.mark.usefixtures("clean_host")


def test_the_greeter_is_on_the_screen(lab: Lab) -> None:
    assert lab.greeter_shown()


def test_apparmor_confines_libvirt(lab: Lab) -> None:
    enforced = lab.output("aa-status").partition("complain mode")[0]
    assert "libvirtd" in enforced
    confinement = lab.sh("cat /proc/$(pidof libvirtd)/attr/current").stdout
    assert confinement.strip() == "libvirtd (enforce)"


def test_each_function_has_its_native_driver(lab: Lab) -> None:
    assert byhand.drivers(lab, FUNCTIONS) == lab.hardware.native_drivers


def test_gpu_and_audio_share_an_iommu_group_and_usb_does_not(lab: Lab) -> None:
    links = [f"/sys/bus/pci/devices/{address}/iommu_group" for address in (GPU, AUDIO, USB)]
    gpu, audio, usb = lab.output("readlink", *links).splitlines()
    assert gpu == audio != usb


def test_alice_can_log_in(lab: Lab) -> None:
    assert lab.output("id", "-un", user="alice") == "alice"


@pytest.mark.parametrize(
    "uefi", [False, pytest.param(True, marks=pytest.mark.long)], ids=["painter", "uefi"]
)
def test_a_guest_paints_the_gpu_and_the_host_gets_it_back(lab: Lab, *, uefi: bool) -> None:
    guest.define(lab, Guest("by-hand", uefi=uefi))
    byhand.give(lab, FUNCTIONS)
    assert set(byhand.drivers(lab, FUNCTIONS).values()) == {"vfio-pci"}
    lab.run("virsh", "start", "by-hand", timeout=180)
    lab.wait_until("the guest's colour", lab.guest_shown, timeout=300)
    lab.wait_until("guest powered off", lambda: guest.is_off(lab, "by-hand"), timeout=120)
    byhand.take_back(lab, FUNCTIONS)
    lab.wait_until("greeter after the guest", lab.greeter_shown, timeout=120)
    assert checks.running_guests(lab) == []
    lab.run("virsh", "undefine", "--nvram", "by-hand")
