"""A card of a driver like amdgpu (driver/README.md): slow, or dead until its bus was reset."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import byhand, spoil, standin
from .checks import unit_state
from .emulator.hardware import FUNCTIONS
from .emulator.machine import Lab
from .guest import Guest
from .scene import configure, define, phase, start, stop, told, wait_for_host

pytestmark = pytest.mark.long
LATE = 25  # s; limits.driver is 20


@pytest.fixture(autouse=True)
def amdgpu(lab: Lab) -> Iterator[None]:
    """The card is amdgpu's, before the test and after it."""
    standin.use(lab, "amdgpu")
    assert standin.faults(lab, "amdgpu") == []
    configure(lab)
    define(lab, Guest(does="stay"))
    yield
    spoil.heal(lab)
    standin.put(lab, "amdgpu", probe_seconds=0, remove_seconds=0, blind_seconds=0)
    if phase(lab) == "stuck":
        lab.run("vfiod", "return", "--force", check=False, timeout=180)
        wait_for_host(lab)
    assert standin.faults(lab, "amdgpu") == []


def handed_over(lab: Lab) -> None:
    """A guest has the card."""
    assert start(lab) == (0, "")
    assert set(byhand.drivers(lab, FUNCTIONS).values()) == {"vfio-pci"}


def test_the_card_goes_and_comes_back(lab: Lab) -> None:
    handed_over(lab)
    lab.wait_until("the guest's colour", lab.guest_shown, timeout=120)
    stop(lab)
    wait_for_host(lab)


def test_whoever_computes_on_the_card_lets_go(lab: Lab) -> None:
    program = "exec 3</dev/kfd; exec sleep 1000"
    lab.put(f'[Service]\nExecStart=/bin/sh -c "{program}"\n', "/run/systemd/system/compute.service")
    lab.run("systemctl", "daemon-reload")
    lab.run("systemctl", "start", "compute")
    try:
        handed_over(lab)
        assert unit_state(lab, "compute") in ("inactive", "failed")
        stop(lab)
        wait_for_host(lab)
        assert unit_state(lab, "compute") == "active"
    finally:
        lab.run("systemctl", "stop", "compute")


def test_a_probe_that_is_late_is_waited_for(lab: Lab) -> None:
    handed_over(lab)
    standin.put(lab, "amdgpu", probe_seconds=LATE)
    stop(lab)
    wait_for_host(lab)


def test_a_remove_that_is_late_ends_in_the_hosts_display(lab: Lab) -> None:
    """Whether the guest starts or not: nobody has to type anything."""
    standin.put(lab, "amdgpu", remove_seconds=LATE)
    status, _ = start(lab)
    standin.put(lab, "amdgpu", remove_seconds=0)
    if status == 0:
        stop(lab)
    wait_for_host(lab)


def test_a_screen_that_is_slow_to_wake(lab: Lab) -> None:
    handed_over(lab)
    standin.put(lab, "amdgpu", blind_seconds=LATE)
    stop(lab)
    wait_for_host(lab)


def test_a_card_that_is_dead_until_its_bus_was_reset(lab: Lab) -> None:
    handed_over(lab)
    spoil.make_dead(lab, cure="bus", driver="amdgpu", module="amdgpu")
    stop(lab)
    wait_for_host(lab)
    assert "reset" in told(lab)
