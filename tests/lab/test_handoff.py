"""vfiod on a real kernel and libvirt: every claim is checked on pixels or in /sys."""

from __future__ import annotations

import pytest

from . import byhand, guest
from .emulator.hardware import AUDIO, FUNCTIONS, GPU
from .emulator.machine import Lab
from .guest import Guest
from .scene import (
    configure,
    define,
    desktop,
    phase,
    start,
    stop,
    stop_desktop,
    wait_for_host,
    wait_for_return,
)

ROM = "/usr/share/seabios/vgabios-stdvga.bin"
STAGED = f"/usr/share/vgabios/vfiod/{GPU}.rom"
HANGING = "/run/systemd/system/lightdm.service.d/hanging.conf"
pytestmark = pytest.mark.usefixtures("clean_host")


def all_with_vfio(lab: Lab) -> bool:
    """Whether the driver links say that the guest can have all functions."""
    return set(byhand.drivers(lab, FUNCTIONS).values()) == {"vfio-pci"}


@pytest.mark.roundtrip
def test_a_guest_gets_the_screen_and_the_host_gets_it_back(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest())
    assert start(lab) == (0, "")
    assert all_with_vfio(lab)
    lab.wait_until("the guest's colour", lab.guest_shown, timeout=300)
    lab.wait_until("the guest's end", lambda: guest.is_off(lab, "win10"), timeout=120)
    wait_for_host(lab)


@pytest.mark.long
def test_three_round_trips_in_one_boot(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(does="stay", managed=True))
    for _ in range(3):
        assert start(lab) == (0, "")
        assert all_with_vfio(lab)
        stop(lab)
        wait_for_host(lab)


def test_start_again_at_once_waits_for_the_return(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    assert start(lab) == (0, "")
    stop(lab)
    assert start(lab) == (0, "")
    assert all_with_vfio(lab)
    stop(lab)
    wait_for_host(lab)


def test_a_guest_killed_hard_gives_the_display_back(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    assert start(lab) == (0, "")
    lab.sh("kill -9 $(cat /run/libvirt/qemu/win10.pid)")
    wait_for_host(lab)


def test_a_guest_that_fails_after_prepare_gives_the_display_back(lab: Lab) -> None:
    configure(lab)
    wanted = Guest(does="stay")
    broken = (
        guest.domain_xml(wanted)
        .replace(">", " xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>", 1)
        .replace(
            "</domain>",
            "<qemu:commandline><qemu:arg value='-nonsense'/></qemu:commandline></domain>",
        )
    )
    define(lab, wanted)
    lab.run("virsh", "undefine", "--nvram", "win10")
    lab.run("virsh", "define", "/dev/stdin", stdin=broken)
    before = desktop(lab)
    status, words = start(lab)
    assert status == 1
    assert "nonsense" in words
    wait_for_host(lab)
    assert desktop(lab) != before


@pytest.mark.long
def test_a_killed_daemon_adopts_the_guest_that_runs(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    assert start(lab) == (0, "")
    qemu = lab.output("cat", "/run/libvirt/qemu/win10.pid")
    lab.run("systemctl", "kill", "-s", "KILL", "vfiod")
    lab.wait_until("the next daemon", lambda: phase(lab) == "guest", timeout=60)
    assert lab.output("cat", "/run/libvirt/qemu/win10.pid") == qemu
    assert all_with_vfio(lab)
    stop(lab)
    wait_for_host(lab)


@pytest.mark.long
@pytest.mark.parametrize("name", ["a'b -x", "-x", "win 10", "größe"])
def test_odd_names(lab: Lab, name: str) -> None:
    configure(lab, name=name)
    define(lab, Guest(name.replace("'", "&apos;"), does="stay"))
    assert start(lab, name) == (0, "")
    assert all_with_vfio(lab)
    stop(lab, name)
    wait_for_host(lab)
    lab.run("virsh", "undefine", "--nvram", "--", name)


@pytest.mark.long
def test_a_rom_in_a_private_file_reaches_the_guest(lab: Lab) -> None:
    lab.run("install", "-m", "600", "-o", "alice", ROM, "/home/alice/gpu.rom")
    configure(lab, rom="/home/alice/gpu.rom")
    define(lab, Guest(does="stay", rom=STAGED))
    assert start(lab) == (0, "")
    assert lab.run("cmp", ROM, STAGED, check=False).returncode == 0
    stop(lab)
    wait_for_host(lab)
    assert lab.run("test", "-e", STAGED, check=False).returncode == 1


@pytest.mark.long
def test_a_text_console_stays_one(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    stop_desktop(lab)
    try:
        assert start(lab) == (0, "")
        stop(lab)
        wait_for_return(lab)
        assert lab.run("systemctl", "is-active", "lightdm", check=False).stdout == "inactive\n"
        assert "1" in lab.output("sh", "-c", "cat /sys/class/vtconsole/vtcon*/bind").split()
    finally:
        lab.run("systemctl", "start", "lightdm")
    lab.wait_until("the greeter", lab.greeter_shown, timeout=120)


@pytest.mark.long
def test_what_was_with_vfio_or_without_a_driver_stays_so(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(does="stay"))
    byhand.give(lab, [GPU])
    lab.sh(f"echo {AUDIO} > /sys/bus/pci/devices/{AUDIO}/driver/unbind")
    before = byhand.drivers(lab, FUNCTIONS)
    assert start(lab) == (0, "")
    stop(lab)
    wait_for_return(lab)
    assert byhand.drivers(lab, FUNCTIONS) == before
    lab.sh(f"echo {AUDIO} > /sys/bus/pci/drivers_probe")
    byhand.take_back(lab, [GPU])
    lab.wait_until("the greeter", lab.greeter_shown, timeout=120)


@pytest.mark.long
def test_a_display_manager_that_will_not_stop_is_killed(lab: Lab) -> None:
    configure(lab)
    lab.sh("echo 'limits: {desktop: 3}' >> /etc/vfiod/vfiod.yaml")
    define(lab, Guest(does="stay"))
    lab.put("[Service]\nExecStop=/bin/sleep 600\n", HANGING)
    lab.run("systemctl", "daemon-reload")
    try:
        assert start(lab) == (0, "")
    finally:
        lab.run("rm", HANGING)
        lab.run("systemctl", "daemon-reload")
    assert all_with_vfio(lab)
    assert "SIGKILL sent to lightdm.service" in lab.output("journalctl", "-t", "vfiod", "-o", "cat")
    stop(lab)
    wait_for_host(lab)
