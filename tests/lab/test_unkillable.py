"""Processes that nothing can kill: one that holds the card, and one that holds the guest's."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from . import byhand, spoil
from .emulator.hardware import AUDIO, GPU, USB
from .emulator.machine import Lab
from .guest import Guest
from .scene import configure, define, facts, phase, start, wait_for_host

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("clean_host")]
AT_ONCE = 5.0  # a command over ssh into an emulated PC

# It opens a file, or takes the vfio files of a process, and probes a device whose driver waits for
# ever: whoever is in the kernel cannot be killed, and its files stay open.
WAIT_FOR_EVER = """
import ctypes, os, sys
what, device = sys.argv[1:]
if what.isdecimal():
    process, folder = os.pidfd_open(int(what)), f"/proc/{what}/fd"
    for name in os.listdir(folder):
        if "vfio" in os.readlink(f"{folder}/{name}"):
            ctypes.CDLL(None).syscall(438, process, int(name), 0)  # pidfd_getfd(2)
else:
    os.open(what, os.O_RDONLY)
if os.fork():
    sys.exit()
os.setsid()
for stream in range(3):
    os.dup2(os.open("/dev/null", os.O_RDWR), stream)
os.write(os.open("/sys/bus/pci/drivers_probe", os.O_WRONLY), device.encode())
"""


@pytest.fixture
def trap(lab: Lab) -> Iterator[None]:
    """The USB controller stays with the host, and has a driver whose probe never returns."""
    device = f"/sys/bus/pci/devices/{USB}"
    lab.run("modprobe", "vfiod_fault")
    lab.sh(f"echo vfiod_fault > {device}/driver_override; echo {USB} > {device}/driver/unbind")
    spoil.put(lab, "hold_probe", "1")
    configure(lab, [GPU, AUDIO])
    lab.sh("echo 'limits: {holders: 1, kill: 1, driver: 3}' >> /etc/vfiod/vfiod.yaml")
    define(lab, Guest(does="stay", hostdevs=(GPU, AUDIO)))
    yield
    let_go(lab)
    lab.sh(
        f"echo > {device}/driver_override; "
        f"echo {USB} > {device}/driver/unbind; echo {USB} > /sys/bus/pci/drivers_probe"
    )


def catch(lab: Lab, what: str) -> None:
    """A process that cannot be killed has opened ``what``, a file or all a process has of vfio."""
    lab.run("python3", "-c", WAIT_FOR_EVER, what, USB)
    lab.wait_until("a wait without end", lambda: "D" in states(lab), timeout=30)


def let_go(lab: Lab) -> None:
    spoil.heal(lab)
    lab.wait_until("its end", lambda: "D" not in states(lab), timeout=30)


def states(lab: Lab) -> str:
    return lab.run("ps", "-o", "state=", "-C", "python3", check=False).stdout


def test_a_holder_of_the_card_is_named_and_the_start_fails(lab: Lab, trap: None) -> None:
    catch(lab, "/dev/dri/card0")
    status, words = start(lab)
    assert status == 1
    assert "python3 (pid" in words
    let_go(lab)
    wait_for_host(lab)


def test_vfio_pci_is_never_unbound_while_the_guests_files_are_open(lab: Lab, trap: None) -> None:
    """What QEMU in the kernel would be: its process is gone to look at, its files are not."""
    assert start(lab) == (0, "")
    qemu = lab.output("cat", "/run/libvirt/qemu/win10.pid")
    catch(lab, qemu)
    lab.run("kill", "-9", qemu)
    lab.wait_until("the word", lambda: phase(lab) == "stuck", timeout=120)
    (fault, *_) = facts(lab)["faults"]
    assert "is still in use by the guest: python3 (pid" in fault
    assert "end that process" in fault
    assert set(byhand.drivers(lab, [GPU, AUDIO]).values()) == {"vfio-pci"}
    began = time.monotonic()
    lab.run("virsh", "list")
    assert start(lab)[0] == 1
    assert time.monotonic() - began < AT_ONCE
    let_go(lab)
    lab.run("vfiod", "return", timeout=120)
    wait_for_host(lab)
