"""From a bare host with the package installed to a guest on the screen: no file edited by hand."""

from __future__ import annotations

import re

import pytest

from tests.cdimage import cd_image

from . import byhand, checks, guest
from .emulator.hardware import FUNCTIONS, GPU
from .emulator.machine import Lab
from .scene import CONFIG, start, stop, wait_for_host

NAME = "win10"
ISO = f"{guest.IMAGES}/installer.iso"
DISK = f"{guest.IMAGES}/{NAME}.qcow2"
INSTALLED = f"{guest.IMAGES}/poweroff.img"  # tests.lab.emulator.payload


def without_kvm(lab: Lab) -> None:
    """QEMU as the lab's emulator cannot nest KVM (see tests.lab.guest): virt-install must not."""
    lab.sh("modprobe -r kvm_amd || true; systemctl restart libvirtd")
    assert "<domain type='kvm'" not in lab.output("virsh", "capabilities")


def definition(lab: Lab) -> str:
    """What the next start would use."""
    return lab.output("virsh", "dumpxml", "--inactive", "--security-info", NAME)


def create(lab: Lab) -> str:
    """Make the guest, and install it as an installer would: by writing its disk; what was said."""
    sizes = ("--disk=1G", "--memory=512M", "--cpus=1")
    lab.put(cd_image(), ISO)
    options = (f"--iso={ISO}", "--network=user", *sizes, "--yes")
    said = lab.output("vfiod", "create", NAME, *options, timeout=180)
    assert f"sudo vfiod init {NAME}" in said
    assert start(lab, NAME) == (0, "")
    assert checks.faults(lab) == [f"guests running: {[NAME]}"]  # the desktop stays meanwhile
    assert lab.greeter_shown()
    stop(lab, NAME)
    lab.run("qemu-img", "convert", "-O", "qcow2", INSTALLED, DISK)
    return said


def init(lab: Lab) -> str:
    """Name it in the configuration and run the commands that vfiod says; what it said."""
    said = lab.output("vfiod", "init", NAME, "--yes", timeout=120)
    for command in re.findall("^  (virt-xml .*)$", said, re.MULTILINE):
        lab.run(*command.split(), timeout=180)
    return said


def run_to_its_end(lab: Lab) -> None:
    """The guest has the screen, powers itself off, and the host is as before."""
    assert start(lab, NAME) == (0, "")
    assert set(byhand.drivers(lab, FUNCTIONS).values()) == {"vfio-pci"}
    see_it_run_to_its_end(lab)


def see_it_run_to_its_end(lab: Lab) -> None:
    """The same of a guest that was started."""
    lab.wait_until("the guest's colour", lab.guest_shown, timeout=600)
    lab.wait_until("the guest's end", lambda: guest.is_off(lab, NAME), timeout=120)
    wait_for_host(lab)
    assert checks.faults(lab) == []


@pytest.mark.long
def test_create_init_start_and_back(lab: Lab) -> None:
    assert checks.faults(lab) == []
    without_kvm(lab)
    configuration = lab.get(CONFIG)
    create(lab)
    made = definition(lab)

    said = init(lab)
    assert f"{GPU}  " in said
    assert "the USB controller of your" in said
    assert "<graphics" not in definition(lab)
    run_to_its_end(lab)

    lab.run("vfiod", "init", NAME, "--revert", "--yes", timeout=120)
    assert lab.get(CONFIG) == configuration
    assert definition(lab) == made
    assert start(lab, NAME) == (0, "")
    stop(lab, NAME)
    assert lab.greeter_shown()
