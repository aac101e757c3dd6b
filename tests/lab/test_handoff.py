"""vfiod itself, on a real kernel and libvirt: every claim is checked on pixels or in /sys."""

from __future__ import annotations

import json

import pytest

from . import byhand, checks, guest
from .guest import Guest
from .hardware import AUDIO, FUNCTIONS, USB
from .machine import Lab

CONFIG = "/etc/vfiod/vfiod.yaml"
pytestmark = pytest.mark.usefixtures("clean_host")


def configure(lab: Lab, devices: tuple[str, ...] = FUNCTIONS) -> None:
    """Name the guest win10 in vfiod's configuration."""
    lab.put(f"guests:\n  win10:\n    devices: [{', '.join(devices)}]\n", CONFIG)


def define(lab: Lab, wanted: Guest) -> None:
    """Define the domain in place of one of its name."""
    lab.run("virsh", "undefine", "--nvram", wanted.name, check=False)
    guest.define(lab, wanted)


def start(lab: Lab) -> tuple[int, str]:
    """virsh start: its status and what it printed for the person who typed it."""
    done = lab.run("virsh", "start", "win10", check=False, timeout=240)
    return done.returncode, done.stderr


def host_is_back(lab: Lab) -> bool:
    """Whether vfiod has nothing left to give back."""
    facts = json.loads(lab.output("vfiod", "status", "--json"))
    return bool(facts["phase"] == "host")


def wait_for_host(lab: Lab) -> None:
    """The greeter is on the screen again and nothing is under way."""
    lab.wait_until("the return's end", lambda: host_is_back(lab), timeout=120)
    lab.wait_until("the greeter", lab.greeter_shown, timeout=120)


@pytest.mark.roundtrip
def test_a_guest_gets_the_screen_and_the_host_gets_it_back(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest())
    assert start(lab) == (0, "")
    assert set(byhand.drivers(lab, FUNCTIONS).values()) == {"vfio-pci"}
    lab.wait_until("the guest's colour", lab.guest_shown, timeout=300)
    lab.wait_until("the guest's end", lambda: guest.is_off(lab, "win10"), timeout=120)
    wait_for_host(lab)


def test_a_guest_killed_hard_gives_the_display_back(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(disk="stay", managed=True))
    assert start(lab) == (0, "")
    lab.sh("kill -9 $(cat /run/libvirt/qemu/win10.pid)")
    wait_for_host(lab)


def test_a_refusal_leaves_the_desktop_and_says_why(lab: Lab) -> None:
    configure(lab, (AUDIO, USB))
    define(lab, Guest())
    desktop = lab.output("systemctl", "show", "-P", "MainPID", "lightdm")
    status, words = start(lab)
    assert status == 1
    assert "0000:00:05.0 that /etc/vfiod/vfiod.yaml does not list" in words
    assert lab.output("systemctl", "show", "-P", "MainPID", "lightdm") == desktop
    assert lab.greeter_shown()


def test_broken_configuration_is_named_by_line(lab: Lab) -> None:
    lab.put("guests:\n  win10:\n    devices: [0000:00:05.0\n", CONFIG)
    define(lab, Guest())
    status, words = start(lab)
    assert status == 1
    assert "vfiod.yaml:4:1:" in words
    assert checks.unit_state(lab, "vfiod") == "active"
