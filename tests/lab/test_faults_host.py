"""What goes wrong in the host around vfiod.

Rows of docs/faults.md. The host is whole before and after each.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vfiod.paths import SLEEP

from .emulator.machine import Lab
from .guest import Guest
from .scene import configure, define, desktop, phase, start, stop, wait_for_host

pytestmark = pytest.mark.usefixtures("clean_host")
DROP_IN = "/run/systemd/system/vfiod.service.d/impatient.conf"


@pytest.mark.long
def test_a_full_run_refuses_a_start_and_does_not_stop_the_way_home(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    assert start(lab) == (0, "")
    fill = "head -c 2G /dev/zero > /run/filler 2>/dev/null || true"
    lab.sh(fill)
    try:
        stop(lab)
        lab.wait_until("the greeter", lab.greeter_shown, timeout=120)
        before = desktop(lab)
        status, words = start(lab)
        assert status == 1
        assert "No space left" in words or "cannot write" in words
        assert desktop(lab) == before
    finally:
        lab.run("rm", "/run/filler")
    lab.run("vfiod", "return", timeout=120)


@pytest.mark.long
def test_a_restarted_logind_is_no_matter(lab: Lab, running: str) -> None:
    lab.run("systemctl", "restart", "systemd-logind", timeout=60)
    stop(lab)


@pytest.mark.long
def test_the_clock_may_jump(lab: Lab, running: str) -> None:
    lab.run("date", "-s", "+2 hours")
    stop(lab)
    wait_for_host(lab)
    lab.run("date", "-s", "-2 hours")


@pytest.mark.long
def test_the_daemon_is_spared_when_memory_runs_out(lab: Lab) -> None:
    pid = lab.output("systemctl", "show", "-P", "MainPID", "vfiod")
    assert lab.output("cat", f"/proc/{pid}/oom_score_adj") == "-900"


@pytest.mark.long
def test_nobody_puts_the_host_to_sleep_under_a_guest(lab: Lab, running: str) -> None:
    done = lab.run("systemctl", "suspend", "--check-inhibitors=yes", check=False)
    assert done.returncode != 0
    assert "win10 has the display" in done.stderr
    # Root who has no terminal is not held up by an inhibitor before systemd 257.
    for command in (("suspend",), ("hibernate",), ("start", "systemd-suspend.service")):
        assert lab.run("systemctl", *command, check=False).returncode != 0
    assert phase(lab) == "guest"
    stop(lab)
    wait_for_host(lab)
    assert lab.run("test", "-e", str(SLEEP), check=False).returncode == 1


@pytest.fixture
def impatient(lab: Lab, clean_host: None) -> Iterator[None]:
    """systemd waits only four seconds for the daemon's sign of life."""
    lab.put("[Service]\nWatchdogSec=4s\n", DROP_IN)
    lab.run("systemctl", "daemon-reload")
    lab.run("systemctl", "restart", "vfiod", timeout=120)
    yield
    lab.run("rm", DROP_IN)
    lab.run("systemctl", "daemon-reload")
    lab.run("systemctl", "restart", "vfiod", timeout=120)


@pytest.mark.long
@pytest.mark.usefixtures("impatient")
def test_a_daemon_that_hangs_is_killed_and_its_successor_adopts(lab: Lab, running: str) -> None:
    before = daemon(lab)
    lab.run("kill", "-STOP", before)
    lab.wait_until("another daemon", lambda: daemon(lab) not in (before, "0"), timeout=60)
    lab.wait_until("the guest adopted", lambda: phase(lab) == "guest", timeout=60)
    stop(lab)


@pytest.mark.long
def test_out_of_file_descriptors(lab: Lab) -> None:
    """The daemon cannot live so (GLib ends it); its successor can, and finishes the return."""
    configure(lab)
    define(lab, Guest(does="stay"))
    before = desktop(lab)
    take_descriptors(lab)
    assert start(lab)[0] == 1
    assert desktop(lab) == before
    lab.wait_until("a daemon that can work", lambda: phase(lab) == "host", timeout=60)
    assert start(lab) == (0, "")
    lab.wait_until("the guest", lambda: phase(lab) == "guest", timeout=60)
    take_descriptors(lab)
    stop(lab)
    wait_for_host(lab)


def take_descriptors(lab: Lab) -> None:
    """The daemon that runs now can open nothing more (prlimit(1))."""
    lab.run("prlimit", "--pid", daemon(lab), "--nofile=4:")


def daemon(lab: Lab) -> str:
    return lab.output("systemctl", "show", "-P", "MainPID", "vfiod")


@pytest.mark.long
def test_a_restarted_bus(lab: Lab, running: str) -> None:
    """The daemon loses its connection, ends, and its successor adopts the guest.

    libvirtd and systemd-machined end with the bus as well, and libvirtd, started by virsh, ends
    a guest that machined does not know any more: that is up to them.
    """
    lab.run("systemctl", "restart", "dbus.service", timeout=120)
    lab.wait_until("the guest adopted", lambda: phase(lab) == "guest", timeout=120)
    lab.run("virsh", "destroy", "win10", check=False, timeout=120)
    wait_for_host(lab)
