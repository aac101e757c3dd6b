"""However a guest ends: no device leaves vfio-pci before libvirt is done with it.

libvirt resets what is with a driver of the host then, by the bus of the port that the card is
behind; that the greeter is back and libvirt reset nothing is asserted by wait_for_host().
"""

from __future__ import annotations

import pytest

from . import checks, guest
from .conftest import Labs
from .emulator import painter
from .emulator.hardware import GPU, PORT
from .emulator.machine import Lab
from .guest import Guest
from .scene import configure, define, start, told, wait_for_host, wait_for_return

pytestmark = pytest.mark.usefixtures("clean_host")
JOURNAL = "/run/vfiod/journal.json"
# Bit 6 of the port's bridge control resets its bus (PCI-to-PCI Bridge 1.2, chapter 3.2.5.18).
RESET_BUS = (
    f"setpci -s {PORT} BRIDGE_CONTROL=40:40; setpci -s {PORT} BRIDGE_CONTROL=0:40; sleep 0.2"
)


def test_a_guest_that_powers_itself_off(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest())
    assert start(lab) == (0, "")
    lab.wait_until("the guest on the screen", lab.guest_shown, timeout=120)
    wait_for_host(lab)


@pytest.mark.long
def test_a_guest_that_is_forced_off(lab: Lab, running: str) -> None:
    lab.run("virsh", "destroy", "win10")


def test_a_guest_whose_qemu_is_killed(lab: Lab, running: str) -> None:
    lab.run("kill", "-9", running)


def test_a_guest_that_dies_while_libvirt_is_stopped(lab: Lab, running: str) -> None:
    """The daemon that vfiod starts cleans up first; the devices come home after that."""
    lab.sh("systemctl stop libvirtd")
    lab.run("kill", "-9", running)
    wait_for_host(lab)
    assert checks.unit_state(lab, "libvirtd") == "active"


@pytest.mark.long
def test_a_guest_that_dies_while_libvirt_and_its_sockets_are_stopped(
    lab: Lab, running: str
) -> None:
    lab.sh("systemctl stop libvirtd libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket")
    lab.run("kill", "-9", running)
    wait_for_host(lab)


@pytest.mark.long
def test_a_guest_that_dies_while_libvirt_cannot_be_started(lab: Lab, running: str) -> None:
    """The host has its display back without libvirt, and again after libvirt's late reset."""
    lab.sh("systemctl mask --runtime libvirtd; systemctl stop libvirtd")
    lab.run("kill", "-9", running)
    wait_for_return(lab)
    lab.wait_until("the greeter", lab.greeter_shown, timeout=120)
    assert "going on without it" in told(lab)
    lab.sh("systemctl unmask --runtime libvirtd; systemctl start libvirtd")
    lab.wait_until("libvirt's reset", lambda: checks.resets(lab), timeout=60)
    lab.wait_until("the cure", lambda: "once more" in told(lab), timeout=60)
    wait_for_host(lab)
    assert checks.deaf(lab) == []


@pytest.mark.long
def test_a_guest_that_powers_itself_off_while_libvirt_is_stopped(lab: Lab) -> None:
    """Its QEMU stays until libvirt ends it: no process ends, and no hook is called."""
    configure(lab)
    define(lab, Guest())
    # Long enough for libvirt to be stopped before, short enough for vfiod to look only after it.
    lab.put(painter.kernel(20), Guest().kernel_path)
    assert start(lab) == (0, "")
    lab.sh("systemctl stop libvirtd libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket")
    lab.wait_until("the guest on the screen", lab.guest_shown, timeout=120)
    lab.wait_until(
        "vfiod's look", lambda: "the screen dark: it is started" in told(lab), timeout=180
    )
    wait_for_host(lab)
    assert checks.unit_state(lab, "libvirtd") == "active"
    assert checks.faults(lab) == []


@pytest.mark.long
def test_the_power_button_ends_the_guest_while_libvirt_hangs(lab: Lab, running: str) -> None:
    lab.sh("systemctl kill --signal=STOP libvirtd")
    try:
        lab.qmp("system_powerdown")
        lab.wait_until("the signal", lambda: "SIGTERM to its QEMU" in told(lab), timeout=120)
        wait_for_return(lab)
        lab.wait_until("the greeter", lab.greeter_shown, timeout=120)
    finally:
        lab.sh("systemctl kill --signal=CONT libvirtd")
    lab.wait_until("libvirt's own view", lambda: guest.is_off(lab, "win10"), timeout=60)
    # It cleans up only now, and resets the card under the greeter: that is seen, and put right.
    back = "the host has its display back from win10"
    lab.wait_until("a second return", lambda: told(lab).count(back) > 1, timeout=120)
    lab.wait_until("a card that answers", lambda: checks.deaf(lab) == [], timeout=120)
    lab.wait_until("the greeter again", lab.greeter_shown, timeout=120)


@pytest.mark.long
def test_a_card_that_is_wiped_right_after_the_return_is_taken_back_once_more(lab: Lab) -> None:
    """What the greeter's screen does not show: driver, node and display manager are all there."""
    configure(lab)
    define(lab, Guest(does="stay"))
    assert start(lab) == (0, "")
    lab.run("virsh", "destroy", "win10")
    # In one go: on a busy machine the seconds until vfiod's look pass before two commands do.
    lab.sh(f"while [ -e {JOURNAL} ]; do sleep 0.1; done; {RESET_BUS}", timeout=120)
    lost = f"{GPU}: it has lost its addresses"
    lab.wait_until("what is noticed", lambda: lost in told(lab), timeout=60)
    wait_for_host(lab)
    assert checks.deaf(lab) == []


@pytest.mark.long
def test_a_start_that_fails_after_the_devices_have_gone(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(memory=256, rom="/usr/share/vgabios/there-is-none.rom"))
    status, _ = start(lab)
    assert status == 1
    wait_for_host(lab)


@pytest.mark.long
@pytest.mark.parametrize("variant", ["root_bus", "port_in_group"])
def test_a_card_that_sits_elsewhere(fresh_lab: Labs, variant: str) -> None:
    elsewhere = {name: name == variant for name in ("root_bus", "port_in_group")}
    lab = fresh_lab(None, cold=True, **elsewhere)
    configure(lab)
    define(lab, Guest(does="stay", hostdevs=lab.hardware.functions))
    assert start(lab) == (0, "")
    lab.run("virsh", "destroy", "win10")
    wait_for_host(lab)
    assert checks.faults(lab) == []
