"""The host goes down while a guest has the devices: nothing hangs, nothing is started."""

from __future__ import annotations

import time

import pytest

from . import checks
from .conftest import Labs
from .guest import Guest
from .scene import configure, define, phase, start

PATIENCE = 240.0  # systemd alone waits 90 s for a unit that does not stop


@pytest.mark.long
def test_a_reboot_with_a_guest_running(fresh_lab: Labs) -> None:
    """The painter knows no ACPI, so that libvirt-guests has to give up on it."""
    lab = fresh_lab()
    configure(lab)
    lab.sh("echo SHUTDOWN_TIMEOUT=5 >> /etc/default/libvirt-guests")
    lab.run("systemctl", "start", "libvirt-guests")
    define(lab, Guest(does="stay"))
    assert start(lab) == (0, "")
    lab.wait_until("the guest", lambda: phase(lab) == "guest", timeout=60)
    began = time.monotonic()
    lab.reboot(PATIENCE)
    assert time.monotonic() - began < PATIENCE
    words = lab.output("journalctl", "-b", "-1", "-t", "vfiod", "-o", "cat")
    after = words[words.rindex("may start") :]
    assert "start the display manager lightdm.service" not in after or "shutting down" in after
    assert "STUCK" not in after
    assert checks.faults(lab) == []
