"""The other flavour of libvirt: its daemon is virtqemud, as on Fedora and Arch.

Debian ships none, so units of that name run Debian's daemon: shown is that vfiod reloads, wakes and
waits for whichever unit is there.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import byhand, guest
from .checks import unit_state
from .emulator.hardware import FUNCTIONS
from .emulator.machine import Lab
from .guest import Guest
from .scene import configure, define, start, stop, told, wait_for_host

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("flavour", "clean_host")]
RENAME = """
for kind in service socket; do
    sed 's/libvirtd[.]s/virtqemud.s/; /^Also=/d; /-ro[.]/d; /-admin[.]/d' \\
        /lib/systemd/system/libvirtd.$kind > /etc/systemd/system/virtqemud.$kind
done
# By this name the daemon knows which of its sockets it is given.
echo '[Socket]
FileDescriptorName=libvirtd.socket' >> /etc/systemd/system/virtqemud.socket
systemctl stop libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket
systemctl mask libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket
systemctl daemon-reload
systemctl start virtqemud.socket
"""


@pytest.fixture(scope="module")
def flavour(lab: Lab) -> None:
    """libvirt's units under their other name."""
    lab.sh(RENAME, timeout=180)


@pytest.fixture
def modular_guest(lab: Lab) -> Iterator[str]:
    """A guest that stays has the devices; its QEMU's pid."""
    configure(lab)
    define(lab, Guest(does="stay"))
    assert start(lab) == (0, "")
    yield lab.output("cat", "/run/libvirt/qemu/win10.pid")
    wait_for_host(lab)


def test_there_and_back(lab: Lab, modular_guest: str) -> None:
    assert unit_state(lab, "virtqemud") == "active"
    assert unit_state(lab, "libvirtd") == "inactive"
    assert set(byhand.drivers(lab, FUNCTIONS).values()) == {"vfio-pci"}
    assert unit_state(lab, "lightdm") == "inactive"
    stop(lab)


def test_qemu_killed_while_virtqemud_is_stopped(lab: Lab, modular_guest: str) -> None:
    lab.run("systemctl", "stop", "virtqemud.service", check=False, timeout=120)
    lab.run("kill", "-9", modular_guest)
    wait_for_host(lab)
    lab.wait_until("libvirt", lambda: unit_state(lab, "virtqemud") == "active", timeout=120)
    lab.wait_until("libvirt's own view", lambda: guest.is_off(lab, "win10"), timeout=60)


def test_a_hook_that_is_new_is_loaded_by_virtqemud(lab: Lab) -> None:
    lab.run("rm", "/etc/libvirt/hooks/qemu.d/50-vfiod")
    lab.run("systemctl", "restart", "virtqemud", timeout=120)
    before = lab.output("systemctl", "show", "-P", "MainPID", "virtqemud")
    lab.run("systemctl", "restart", "vfiod", timeout=120)
    lab.wait_until("the reload", lambda: "reloaded virtqemud.service" in told(lab), timeout=60)
    assert lab.output("systemctl", "show", "-P", "MainPID", "virtqemud") == before
    configure(lab)
    define(lab, Guest(does="stay"))
    assert start(lab) == (0, "")
    assert set(byhand.drivers(lab, FUNCTIONS).values()) == {"vfio-pci"}
    stop(lab)
    wait_for_host(lab)
