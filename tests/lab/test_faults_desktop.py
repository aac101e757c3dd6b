"""Who holds the card and will not let go, and a display manager in trouble.

Rows of docs/faults.md. The host is whole before and after each.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .checks import unit_state
from .emulator.machine import Lab
from .guest import Guest, domain_xml
from .scene import configure, define, facts, start, stop, told, wait_for_host

pytestmark = pytest.mark.usefixtures("clean_host")


@pytest.fixture
def holder(lab: Lab, clean_host: None) -> Iterator[str]:
    """A monitoring tool that ignores SIGTERM, holds the card, and is started again at once."""
    program = "exec 3</dev/dri/card0; trap '' TERM; while :; do sleep 1; done"
    lab.put(
        f'[Service]\nExecStart=/bin/sh -c "{program}"\nRestart=always\nRestartSec=0\n'
        "TimeoutStopSec=1s\n[Unit]\nStartLimitIntervalSec=0\n",
        "/run/systemd/system/watching.service",
    )
    lab.run("systemctl", "daemon-reload")
    lab.run("systemctl", "start", "watching")
    yield "watching"
    lab.run("systemctl", "stop", "watching", check=False)
    lab.run("rm", "/run/systemd/system/watching.service")


@pytest.mark.long
def test_a_holder_that_is_started_again_is_stopped_as_a_unit(lab: Lab, holder: str) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    assert start(lab) == (0, "")
    assert unit_state(lab, holder) in ("inactive", "failed")
    stop(lab)
    wait_for_host(lab)
    assert unit_state(lab, holder) == "active"


@pytest.mark.long
def test_a_holder_outside_of_any_unit_that_ignores_sigterm_is_killed(lab: Lab) -> None:
    configure(lab)
    lab.sh("echo 'limits: {holders: 1, kill: 1}' >> /etc/vfiod/vfiod.yaml")
    define(lab, Guest(does="stay"))
    lab.sh(
        "trap '' TERM; exec 3</dev/dri/card0; "
        "systemd-run --quiet --scope --unit=stubborn sleep 1000 >/dev/null 2>&1 </dev/null &"
    )
    assert start(lab) == (0, "")
    assert "SIGKILL sent: sleep" in told(lab)
    stop(lab)
    wait_for_host(lab)


@pytest.fixture
def one_start_an_hour(lab: Lab, clean_host: None) -> Iterator[None]:
    """The display manager has used up its starts."""
    drop_in = "/run/systemd/system/lightdm.service.d/limit.conf"
    lab.put("[Unit]\nStartLimitIntervalSec=1h\nStartLimitBurst=1\n", drop_in)
    lab.run("systemctl", "daemon-reload")
    lab.run("systemctl", "reset-failed", "lightdm")
    lab.run("systemctl", "restart", "lightdm", timeout=120)
    lab.wait_until("the greeter", lab.greeter_shown, timeout=120)
    yield
    lab.run("rm", drop_in)
    lab.run("systemctl", "daemon-reload")


@pytest.mark.long
@pytest.mark.usefixtures("one_start_an_hour")
def test_a_display_manager_at_its_start_limit_is_started(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    assert start(lab) == (0, "")
    assert lab.run("systemctl", "start", "lightdm", check=False).returncode != 0
    stop(lab)
    wait_for_host(lab)
    assert facts(lab)["faults"] == []


@pytest.mark.long
def test_a_user_manager_that_lingers_goes_on(lab: Lab) -> None:
    """Her sound server holds the card's audio with nobody logged in; it lets go alone."""
    configure(lab)
    define(lab, Guest(does="stay"))
    lab.run("adduser", "--quiet", "alice", "audio")
    lab.run("loginctl", "enable-linger", "alice")
    try:
        lab.wait_until("her sound server", lambda: holds_sound(lab), timeout=120)
        manager = lab.output("systemctl", "show", "-P", "MainPID", "user@1000.service")
        assert start(lab) == (0, "")
        stop(lab)
        wait_for_host(lab)
        assert "in the manager of alice, which stays" in told(lab)
        assert lab.output("systemctl", "show", "-P", "MainPID", "user@1000.service") == manager
        lab.wait_until("her sound server", lambda: holds_sound(lab), timeout=120)
    finally:
        lab.run("loginctl", "disable-linger", "alice")
        lab.run("deluser", "--quiet", "alice", "audio")
        lab.run("systemctl", "stop", "user@1000.service")


@pytest.fixture
def other_guest(lab: Lab, clean_host: None) -> Iterator[str]:
    """Another guest's QEMU has the card open: as a serial port, there is no virgl without a GPU."""
    other = domain_xml(Guest(name="other", does="stay", hostdevs=()))
    serial = "<serial type='dev'><source path='/dev/dri/card0'/></serial></devices>"
    lab.run("virsh", "define", "/dev/stdin", stdin=other.replace("</devices>", serial))
    lab.run("virsh", "start", "other", timeout=120)
    yield "other"
    lab.run("virsh", "destroy", "other", check=False)
    lab.run("virsh", "undefine", "--nvram", "other", check=False)


@pytest.mark.long
def test_another_guest_that_has_the_card_is_never_ended(lab: Lab, other_guest: str) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    status, words = start(lab)
    assert status == 1
    assert f"the guest {other_guest} uses a device of win10" in words
    assert lab.output("virsh", "domstate", other_guest) == "running"
    assert lab.greeter_shown()


def holds_sound(lab: Lab) -> bool:
    users = lab.run("fuser", "-v", "/dev/snd/controlC0", check=False)
    return "alice" in users.stdout + users.stderr


@pytest.mark.long
def test_a_compositor_outside_of_the_display_manager_is_ended(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    lab.sh("setsid Xorg :7 vt8 >/dev/null 2>&1 </dev/null &")
    lab.wait_until("its screen", lambda: not lab.greeter_shown() and other_server(lab), timeout=60)
    assert start(lab) == (0, "")
    assert not other_server(lab)
    stop(lab)
    wait_for_host(lab)


def other_server(lab: Lab) -> bool:
    return lab.run("pgrep", "-f", "Xorg :7", check=False).returncode == 0
