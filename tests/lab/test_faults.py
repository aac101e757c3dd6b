"""What goes wrong in vfiod, libvirt and the guest, and what a person may do about it.

Each row of docs/faults.md that the emulated PC can produce. The host is whole before and after.
"""

from __future__ import annotations

import json
import time

import pytest

from . import byhand, guest
from .checks import unit_state
from .emulator.hardware import AUDIO, FUNCTIONS, GPU, USB
from .emulator.machine import Lab
from .guest import Guest
from .scene import configure, define, desktop, phase, start, stop, told, wait_for_host

pytestmark = pytest.mark.usefixtures("clean_host")
BUS = ("org.vfiod1", "/org/vfiod1")
HOOKS = "/etc/libvirt/hooks/qemu.d"
AT_ONCE = 5.0  # a command over ssh into an emulated PC


# vfiod


def test_a_stopped_and_started_daemon_adopts_the_guest(lab: Lab, running: str) -> None:
    lab.run("systemctl", "stop", "vfiod", timeout=120)
    assert byhand.drivers(lab, [GPU]) == {GPU: "vfio-pci"}
    lab.run("systemctl", "start", "vfiod", timeout=120)
    lab.wait_until("the guest adopted", lambda: phase(lab) == "guest", timeout=60)
    assert lab.output("cat", "/run/libvirt/qemu/win10.pid") == running
    stop(lab)


@pytest.mark.long
def test_a_guest_that_ends_while_the_daemon_is_stopped(lab: Lab, running: str) -> None:
    """The hook finds no daemon, the bus starts it, and it finds the guest gone."""
    lab.run("systemctl", "stop", "vfiod", timeout=120)
    stop(lab)


@pytest.mark.long
def test_a_second_return_and_a_release_that_never_had_a_prepare(lab: Lab, running: str) -> None:
    stop(lab)
    release = ["org.vfiod1.Hook", "Release", "sss", "win10", "", "shutdown"]
    for _ in range(2):
        lab.run("busctl", "call", *BUS, *release)
    wait_for_host(lab)
    before = desktop(lab)
    lab.run("busctl", "call", *BUS, *release)
    assert desktop(lab) == before


# libvirt


@pytest.mark.long
def test_libvirt_stopped_while_the_guest_dies(lab: Lab, running: str) -> None:
    lab.run("systemctl", "stop", "libvirtd.service", check=False, timeout=120)
    lab.run("kill", "-9", running)
    wait_for_host(lab)
    lab.wait_until("libvirt", lambda: unit_state(lab, "libvirtd") == "active", timeout=120)
    lab.wait_until("libvirt's own view", lambda: guest.is_off(lab, "win10"), timeout=60)


@pytest.mark.long
def test_libvirt_killed_between_prepare_and_the_guest(lab: Lab) -> None:
    """Nothing follows the prepare: after the limit the devices come home by themselves."""
    configure(lab)
    lab.sh("echo 'limits: {guest: 3}' >> /etc/vfiod/vfiod.yaml")
    define(lab, Guest(does="stay"))
    xml = lab.output("virsh", "dumpxml", "win10")
    lab.run(
        "busctl", "--timeout=120", "call", "org.vfiod1", "/org/vfiod1", "org.vfiod1.Hook",
        "Prepare", "ss", "win10", xml, timeout=150,
    )  # fmt: skip
    wait_for_host(lab)
    assert "win10 was prepared but never started" in told(lab)


def test_another_script_that_fails_after_ours(lab: Lab) -> None:
    lab.put('#!/bin/sh\n[ "$2" != prepare ] || exit 1\n', f"{HOOKS}/99-other", mode=0o755)
    try:
        configure(lab)
        define(lab, Guest(does="stay"))
        assert start(lab)[0] == 1
        wait_for_host(lab)
    finally:
        lab.run("rm", f"{HOOKS}/99-other")


@pytest.mark.long
def test_libvirt_answers_during_a_return(lab: Lab, running: str) -> None:
    stop(lab)
    began = time.monotonic()
    listed = lab.output("virsh", "list", "--all")
    assert time.monotonic() - began < AT_ONCE
    assert "win10" in listed


# The guest


@pytest.mark.long
def test_a_stopped_qemu_is_destroyed_and_the_display_returns(lab: Lab, running: str) -> None:
    lab.run("kill", "-STOP", running)
    stop(lab)


@pytest.mark.long
def test_a_pause_and_a_reboot_of_the_guest_change_nothing(lab: Lab) -> None:
    """No hook runs for a reboot."""
    configure(lab)
    lab.run("virsh", "undefine", "--nvram", "win10", check=False)
    guest.define(lab, Guest(does="stay"))
    again = lab.output("virsh", "dumpxml", "win10").replace(
        "<on_reboot>destroy", "<on_reboot>restart"
    )
    lab.run("virsh", "define", "/dev/stdin", stdin=again)
    assert start(lab) == (0, "")
    running = lab.output("cat", "/run/libvirt/qemu/win10.pid")
    for verb in ("suspend", "resume", "reset"):
        lab.run("virsh", verb, "win10")
    assert phase(lab) == "guest"
    assert lab.output("cat", "/run/libvirt/qemu/win10.pid") == running
    stop(lab)
    wait_for_host(lab)


@pytest.mark.long
def test_a_device_removed_while_the_guest_has_it(lab: Lab, running: str) -> None:
    """The removal waits for the guest in the kernel; afterwards the device is found again."""
    lab.sh(f"(echo 1 > /sys/bus/pci/devices/{USB}/remove) >/dev/null 2>&1 </dev/null &")
    stop(lab)
    wait_for_host(lab)
    assert byhand.drivers(lab, FUNCTIONS) == lab.hardware.native_drivers


# People


def test_the_power_button_ends_the_guest(lab: Lab, running: str) -> None:
    lab.qmp("system_powerdown")
    wait_for_host(lab)
    assert "is asked to shut down, and forced off after 3 s" in told(lab)


@pytest.mark.long
def test_a_second_press_does_not_wait(lab: Lab, running: str) -> None:
    lab.sh("sed -i 's/shutdown: 3/shutdown: 600/' /etc/vfiod/vfiod.yaml")
    lab.qmp("system_powerdown")
    lab.wait_until("the first press", lambda: "forced off after 600 s" in told(lab), timeout=30)
    lab.wait_until(
        "the shutdown", lambda: unit_state(lab, "vfiod-shutdown") == "active", timeout=30
    )
    # Sooner it would be the first one once more.
    lab.sh("sleep 2")
    lab.qmp("system_powerdown")
    wait_for_host(lab)
    assert "power button: win10 is forced off" in told(lab)


@pytest.mark.long
def test_keys_of_ones_choice_do_what_the_power_button_does(lab: Lab) -> None:
    configure(lab, [GPU, AUDIO])
    lab.sh("echo 'escape_keys: [KEY_LEFTCTRL, KEY_END]' >> /etc/vfiod/vfiod.yaml")
    define(lab, Guest(does="stay", hostdevs=[GPU, AUDIO]))
    assert start(lab) == (0, "")
    lab.wait_until("the guest", lambda: phase(lab) == "guest", timeout=60)
    keys = [{"type": "qcode", "data": name} for name in ("ctrl", "end")]
    lab.qmp("send-key", keys=keys[1:])
    lab.qmp("send-key", keys=keys)
    lab.wait_until("the press", lambda: "forced off after 60 s" in told(lab), timeout=30)
    lab.sh("sleep 2")
    lab.qmp("send-key", keys=keys)
    wait_for_host(lab)


@pytest.mark.long
def test_a_guest_on_trial_is_ended_and_one_that_is_kept_stays(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    assert "In 40 s" in lab.output("vfiod", "try", "win10", "--for", "40", "--yes", timeout=120)
    assert phase(lab) in ("prepared", "guest")
    wait_for_host(lab)
    lab.run("vfiod", "try", "win10", "--for", "40", "--yes", timeout=120)
    said = lab.output("vfiod", "keep", "--for", "600")
    assert said.startswith("win10 is on trial for 600 s more")
    (row,) = json.loads(lab.output("vfiod", "guests", "--json", timeout=120))
    assert row["trial_until"] / 1e6 > float(lab.output("date", "+%s")) + 400
    assert "return --shutdown" in lab.output("systemctl", "cat", "vfiod-trial.service")
    assert lab.output("vfiod", "keep") == "Confirmed: the guest stays."
    assert lab.run("vfiod", "keep", check=False).returncode == 1
    assert phase(lab) in ("prepared", "guest")
    stop(lab)
    wait_for_host(lab)


@pytest.mark.long
def test_a_guest_on_trial_stays_if_its_port_answers(lab: Lab) -> None:
    """The guest of the lab has no network: its host's own ssh stands for it."""
    configure(lab)
    define(lab, Guest(does="stay"))
    lab.run("vfiod", "try", "win10", "--for", "5", "--port", "127.0.0.1:22", "--yes",
            timeout=120)  # fmt: skip
    lab.wait_until("the answer", lambda: "it keeps the devices" in trial(lab), timeout=120)
    assert phase(lab) == "guest"
    stop(lab)
    wait_for_host(lab)


def trial(lab: Lab) -> str:
    return lab.output("journalctl", "-u", "vfiod-trial", "-o", "cat")


def test_a_rehearsal_needs_no_guest(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    before = desktop(lab)
    assert "It works" in lab.output("vfiod", "rehearse", "win10", "--keep-desktop", timeout=120)
    assert desktop(lab) == before
    assert lab.run("vfiod", "rehearse", "win10", check=False).returncode == 1
    assert desktop(lab) == before
    assert "It works" in lab.output("vfiod", "rehearse", "win10", "--yes", timeout=120)
    wait_for_host(lab)
    assert desktop(lab) != before
