"""Hosts that differ, each booted for one test: other cards, boot, firmware display, removal."""

from __future__ import annotations

import pytest

from . import byhand, checks, spoil
from .conftest import Labs
from .emulator.hardware import AUDIO, FUNCTIONS, GPU, Hardware
from .emulator.machine import Lab
from .guest import Guest
from .scene import configure, define, phase, start, stop, told, wait_for_host

# Alone on its bus: the kernel's reset of a function by its bus is refused where others share it.
NVME = "0000:03:00.0"
BEHIND_A_PORT = (
    "-device", "pcie-root-port,id=port3,chassis=3,slot=3,addr=07.0",
    "-device", "nvme,serial=1,bus=port3",
)  # fmt: skip
HOOKS = "/etc/libvirt/hooks/qemu.d"


@pytest.mark.long
@pytest.mark.parametrize("gpu", ["virtio-vga"])
def test_another_card(fresh_lab: Labs, gpu: str) -> None:
    lab = fresh_lab(cold=True, gpu=gpu)
    configure(lab)
    define(lab, Guest(does="stay"))
    assert start(lab) == (0, "")
    assert set(byhand.drivers(lab, FUNCTIONS).values()) == {"vfio-pci"}
    stop(lab)
    wait_for_host(lab)
    assert checks.faults(lab) == []


@pytest.mark.long
def test_a_device_that_a_reset_wakes(fresh_lab: Labs) -> None:
    lab = fresh_lab(cold=True, extra=BEHIND_A_PORT)
    configure(lab, [NVME])
    define(lab, Guest(does="stay", hostdevs=(NVME,)))
    assert start(lab) == (0, "")
    assert byhand.drivers(lab, [NVME]) == {NVME: "vfio-pci"}
    spoil.make_dead(lab, cure="reset", driver="nvme", module="nvme")
    stop(lab)
    wait_for_host(lab)
    assert f"reset {NVME} (" in told(lab)
    assert byhand.drivers(lab, [NVME]) == {NVME: "nvme"}
    assert checks.faults(lab) == []


@pytest.mark.long
def test_autostart_at_boot(fresh_lab: Labs) -> None:
    """The guest starts before or while the display manager does, and ends at a text greeter."""
    lab = fresh_lab()
    configure(lab)
    define(lab, Guest(does="stay"))
    lab.run("virsh", "autostart", "win10")
    lab.restart()
    lab.wait_until("the guest", lambda: phase(lab) == "guest", timeout=180)
    assert set(byhand.drivers(lab, FUNCTIONS).values()) == {"vfio-pci"}
    lab.run("virsh", "autostart", "--disable", "win10")
    stop(lab)
    wait_for_host(lab)
    assert checks.faults(lab) == []


@pytest.mark.long
def test_a_host_on_the_firmware_framebuffer_is_refused(fresh_lab: Labs) -> None:
    lab = Lab(fresh_lab.image, Hardware(kernel_options=("modprobe.blacklist=bochs",)))
    fresh_lab.started.append(lab)
    lab.start()
    lab.wait_for_ssh()
    configure(lab)
    define(lab, Guest())
    assert byhand.drivers(lab, [GPU]) == {GPU: ""}
    status, words = start(lab)
    assert status == 1
    assert f"the display {GPU} [1234:1111] has no native driver" in words
    assert "EFI VGA" in lab.output("cat", "/proc/fb")
    assert byhand.drivers(lab, [AUDIO]) == {AUDIO: "snd_hda_intel"}


@pytest.mark.long
def test_removal_takes_the_hook_out_and_purge_the_rest(fresh_lab: Labs) -> None:
    lab = fresh_lab()
    lab.put("#!/bin/sh\nexit 0\n", f"{HOOKS}/10-other", 0o755)
    configure(lab)
    define(lab, Guest(does="stay"))
    assert start(lab) == (0, "")
    held = lab.run("dpkg", "--remove", "vfiod", check=False, timeout=120)
    assert held.returncode != 0
    assert lab.run("test", "-e", f"{HOOKS}/50-vfiod", check=False).returncode == 0
    stop(lab)
    wait_for_host(lab)
    lab.run("dpkg", "--remove", "vfiod", timeout=120)
    assert lab.output("ls", HOOKS) == "10-other"
    lab.run("dpkg", "--purge", "vfiod", timeout=120)
    places = ("/etc", "/usr", "/run", "/var/lib/systemd", "/lib")
    left = lab.output("find", *places, "-xdev", "-name", "*vfiod*").splitlines()
    assert [path for path in left if "vfiod_fault" not in path] == []  # that one is the lab's
