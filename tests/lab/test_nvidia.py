"""A card of a set like NVIDIA's (driver/README.md), which waits where bochs-drm lets go."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vfiod.events import Kind

from . import byhand, standin
from .checks import unit_state
from .emulator.hardware import FUNCTIONS, GPU
from .emulator.machine import Lab
from .guest import Guest
from .scene import configure, define, phase, start, stop, stop_desktop, wait_for_host

UNBIND = f"/sys/bus/pci/devices/{GPU}/driver/unbind"

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def nvidia(lab: Lab) -> Iterator[None]:
    """The card is nvidia's, before the test and after it, and the set is whole."""
    standin.use(lab, "nvidia")
    assert standin.faults(lab, "nvidia") == []
    configure(lab)
    define(lab, Guest(does="stay"))
    yield
    if phase(lab) == "stuck":
        lab.run("vfiod", "return", "--force", check=False, timeout=180)
        wait_for_host(lab)
    assert standin.faults(lab, "nvidia") == []
    assert standin.loaded(lab) == set(standin.NVIDIA)


def round_trip(lab: Lab) -> None:
    """A guest gets the card, and the host the greeter, without a second try at anything."""
    before = troubles(lab)
    assert start(lab) == (0, "")
    assert set(byhand.drivers(lab, FUNCTIONS).values()) == {"vfio-pci"}
    lab.wait_until("the guest's colour", lab.guest_shown, timeout=120)
    stop(lab)
    wait_for_host(lab)
    assert troubles(lab) == before


def troubles(lab: Lab) -> list[str]:
    """Steps that failed and remedies that were tried since the boot."""
    kinds = [f"MESSAGE_ID={kind.value}" for kind in (Kind.STEP_FAILED, Kind.REMEDY)]
    told = lab.run("journalctl", "-q", "-b", "-t", "vfiod", "-o", "cat", *kinds, check=False)
    return told.stdout.splitlines()


def start_persistence(lab: Lab) -> None:
    """The persistence daemon has the card open."""
    lab.run("systemctl", "start", "nvidia-persistenced")
    opened = ("fuser", "--silent", "/dev/nvidia0")
    lab.wait_until("its file", lambda: lab.run(*opened, check=False).returncode == 0, timeout=30)


def test_the_set_goes_and_comes_back(lab: Lab) -> None:
    round_trip(lab)


def test_the_stand_in_waits_for_whoever_has_the_card_open(lab: Lab) -> None:
    """Without vfiod: what must not happen to it. Nothing ends the writer but the holder."""
    stop_desktop(lab)
    start_persistence(lab)
    lab.sh(f"systemd-run --quiet --unit=unbinding sh -c 'echo {GPU} > {UNBIND}'")
    lab.wait_until("state D", lambda: "D" in _states(lab, "unbinding"), timeout=30)
    lab.run("systemctl", "kill", "-s", "KILL", "unbinding")
    assert "D" in _states(lab, "unbinding")
    lab.run("systemctl", "stop", "nvidia-persistenced")
    lab.wait_until("its end", lambda: byhand.drivers(lab, [GPU])[GPU] == "", timeout=30)
    lab.sh(f"echo {GPU} > /sys/bus/pci/drivers_probe; systemctl reset-failed unbinding || true")
    lab.run("systemctl", "start", "lightdm")
    lab.wait_until("the greeter", lab.greeter_shown, timeout=120)


def _states(lab: Lab, unit: str) -> str:
    pids = lab.output("systemctl", "show", "-P", "MainPID", unit)
    return lab.run("ps", "-o", "state=", "-p", pids, check=False).stdout


def test_the_persistence_daemon_is_stopped_and_started_again(lab: Lab) -> None:
    start_persistence(lab)
    try:
        round_trip(lab)
        assert unit_state(lab, "nvidia-persistenced") == "active"
    finally:
        lab.run("systemctl", "stop", "nvidia-persistenced")


def test_a_monitor_that_opens_the_card_now_and_then(lab: Lab) -> None:
    lab.run("systemctl", "start", "gpu-monitor")
    try:
        round_trip(lab)
    finally:
        lab.run("systemctl", "stop", "gpu-monitor")


def test_a_module_on_top_that_nobody_knows(lab: Lab) -> None:
    """Refused before the desktop ends, or moved out of the way: never a black screen."""
    lab.run("modprobe", "nvidia_peermem")
    try:
        status, words = start(lab)
        assert status == 1
        assert "nvidia_peermem" in words
        assert phase(lab) == "host"
    finally:
        lab.run("modprobe", "-r", "nvidia_peermem")


def test_udev_loads_the_set_at_every_event(lab: Lab) -> None:
    standin.reload_always(lab, on=True)
    try:
        round_trip(lab)
    finally:
        standin.reload_always(lab, on=False)
