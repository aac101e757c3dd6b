"""A card that looks dead after the guest, as those with the reset bug do, is recovered."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from . import byhand, spoil
from .emulator.hardware import GPU, USB
from .emulator.machine import Lab
from .guest import Guest
from .scene import configure, define, facts, phase, start, stop, told, wait_for_host

pytestmark = pytest.mark.usefixtures("clean_host")
AT_ONCE = 5.0  # a command over ssh into an emulated PC


@pytest.fixture(autouse=True)
def healed(lab: Lab, clean_host: None) -> Iterator[None]:
    """Whatever a test does to the driver is over afterwards."""
    yield
    spoil.heal(lab)
    if phase(lab) == "stuck":
        lab.run("vfiod", "return", timeout=120)
    wait_for_host(lab)


@pytest.mark.parametrize(
    ("cure", "remedy"),
    [
        ("retry", f"probe {GPU} again ("),
        pytest.param("rescan", f"remove {GPU} and look for it again (", marks=pytest.mark.long),
        pytest.param("reload", "load the module bochs anew (", marks=pytest.mark.long),
    ],
)
def test_the_display_comes_back_at_the_remedy_that_wakes_it(
    lab: Lab, cure: str, remedy: str
) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    assert start(lab) == (0, "")
    spoil.make_dead(lab, cure=cure, tries=2)
    stop(lab)
    wait_for_host(lab)
    assert remedy in told(lab)


@pytest.mark.long
def test_the_display_comes_back_after_a_sleep_of_the_host(lab: Lab) -> None:
    configure(lab)
    lab.sh("echo 'suspend_to_reset: true' >> /etc/vfiod/vfiod.yaml")
    define(lab, Guest(does="stay"))
    assert start(lab) == (0, "")
    spoil.make_dead(lab, cure="suspend")
    stop(lab)
    wait_for_host(lab)
    assert f"suspend the host for 5 s, to cut the power of {GPU} (" in told(lab)


def leave_dead(lab: Lab) -> None:
    """A guest has gone, and nothing that vfiod tries wakes its card."""
    configure(lab)
    define(lab, Guest(does="stay"))
    assert start(lab) == (0, "")
    spoil.make_dead(lab, cure="none")
    stop(lab)
    lab.wait_until("the end of the recovery", lambda: phase(lab) == "stuck", timeout=180)


@pytest.mark.long
def test_a_card_that_stays_dead_is_named_and_nothing_hangs(lab: Lab) -> None:
    leave_dead(lab)
    shown = lab.run("vfiod", "status", check=False)
    assert shown.returncode == 7
    assert "STUCK after win10" in shown.stdout
    assert f"{GPU} should have the driver bochs-drm and has none" in shown.stdout
    assert f"tried in vain: probe {GPU} again" in shown.stdout
    assert "a reboot brings all of it back" in shown.stdout
    began = time.monotonic()
    status, words = start(lab)
    assert status == 1
    assert f"{GPU} should have the driver bochs-drm" in words
    lab.run("virsh", "list")
    assert time.monotonic() - began < AT_ONCE
    drivers = {d["address"]: d["driver"] for d in facts(lab)["devices"]}
    assert drivers[USB] == "xhci_hcd"


@pytest.mark.long
def test_force_resets_again(lab: Lab) -> None:
    leave_dead(lab)
    spoil.put(lab, "cure", "rescan")
    assert lab.run("vfiod", "return", check=False, timeout=120).returncode == 7
    assert lab.run("vfiod", "return", "--force", timeout=180).stdout.endswith("display back.\n")
    wait_for_host(lab)


# A driver whose remove() or probe() misbehaves, on the USB controller


@pytest.fixture
def odd_driver(lab: Lab, healed: None) -> Iterator[None]:
    """The USB controller has the driver of tests/lab/emulator/driver as its native one."""
    lab.run("modprobe", "vfiod_fault")
    bind(lab, "vfiod_fault")
    configure(lab)
    lab.sh("echo 'limits: {driver: 3}' >> /etc/vfiod/vfiod.yaml")
    define(lab, Guest(does="stay"))
    yield
    spoil.heal(lab)
    lab.wait_until("an end", lambda: phase(lab) in ("host", "stuck"), timeout=60)
    lab.run("vfiod", "return", check=False, timeout=120)
    bind(lab, "")


def bind(lab: Lab, override: str) -> None:
    device = f"/sys/bus/pci/devices/{USB}"
    lab.sh(
        f"echo '{override}' > {device}/driver_override; "
        f"echo {USB} > {device}/driver/unbind; echo {USB} > /sys/bus/pci/drivers_probe"
    )


def usb_driver(lab: Lab) -> str:
    return byhand.drivers(lab, [USB])[USB]


@pytest.mark.usefixtures("odd_driver")
@pytest.mark.long
def test_an_unbind_that_never_returns(lab: Lab) -> None:
    spoil.put(lab, "hold_remove", "1")
    status, words = start(lab)
    assert status == 1
    assert f"the kernel did not finish unbind of {USB} within 3 s" in words
    assert "fault_remove" in words
    assert lab.run("vfiod", "status", check=False).returncode == 7
    lab.wait_until("the greeter, all the same", lab.greeter_shown, timeout=120)
    spoil.put(lab, "hold_remove", "0")
    lab.wait_until("the return by itself", lambda: phase(lab) == "host", timeout=120)
    assert usb_driver(lab) == "vfiod_fault"


@pytest.mark.long
@pytest.mark.usefixtures("odd_driver")
def test_a_probe_that_never_returns(lab: Lab) -> None:
    assert start(lab) == (0, "")
    spoil.put(lab, "hold_probe", "1")
    stop(lab)
    lab.wait_until("the word", lambda: phase(lab) == "stuck", timeout=120)
    assert "fault_probe" in " ".join(facts(lab)["faults"])
    lab.wait_until("the greeter, all the same", lab.greeter_shown, timeout=120)
    spoil.put(lab, "hold_probe", "0")
    lab.wait_until("the return by itself", lambda: phase(lab) == "host", timeout=120)
    assert usb_driver(lab) == "vfiod_fault"


@pytest.mark.usefixtures("odd_driver")
@pytest.mark.long
def test_a_driver_that_needs_two_tries(lab: Lab) -> None:
    assert start(lab) == (0, "")
    spoil.put(lab, "fail_probe", "2")
    stop(lab)
    wait_for_host(lab)
    assert usb_driver(lab) == "vfiod_fault"
    assert f"probe {USB} again" in told(lab)
