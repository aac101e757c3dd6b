"""`vfiod start` and the rest of the service's own calls of libvirt, under its confinement."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from .emulator.machine import Lab
from .guest import Guest
from .scene import configure, define, phase, wait_for_host

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def guest(lab: Lab, clean_host: None) -> Iterator[None]:
    """win10 is configured and off; afterwards the host has everything back."""
    configure(lab)
    define(lab, Guest(does="stay"))
    yield
    wait_for_host(lab)


def test_a_guest_is_started_and_ended_by_the_service(lab: Lab) -> None:
    (row,) = json.loads(lab.output("vfiod", "guests", "--json", timeout=120))
    assert (row["name"], row["state"], row["readiness"]) == ("win10", "shut off", "ok")
    lab.run("vfiod", "start", "win10", timeout=240)
    assert phase(lab) == "guest"
    lab.wait_until("the guest's colour", lab.guest_shown, timeout=120)
    lab.run("vfiod", "shutdown", "win10", timeout=120)


def test_a_countdown_that_is_cancelled_starts_nothing(lab: Lab) -> None:
    lab.run("vfiod", "start", "win10", "--in", "600", "--no-wait", timeout=120)
    assert "vfiod start win10 --cancel" in lab.output("vfiod", "status")
    lab.run("vfiod", "start", "win10", "--cancel")
    assert phase(lab) == "host"


def test_nobody_else_may_start_or_end_a_guest(lab: Lab) -> None:
    for command in (("start", "win10"), ("shutdown", "win10")):
        done = lab.run("vfiod", *command, check=False, user="alice", timeout=120)
        assert done.returncode == 8, done.stderr
    assert phase(lab) == "host"
