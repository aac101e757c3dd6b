"""A refusal: virsh says why, and the desktop and every driver are as they were."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import checks, guest
from .emulator.hardware import AUDIO, FUNCTIONS, GPU, USB
from .emulator.machine import Lab
from .guest import Guest
from .scene import CONFIG, configure, define, desktop, start, stop

ROMS = "/usr/share/seabios"
OTHER_HOOK = "/etc/libvirt/hooks/qemu.d/10-other"
pytestmark = pytest.mark.usefixtures("clean_host")


@pytest.fixture(autouse=True)
def untouched(lab: Lab) -> Iterator[None]:
    """The display manager is the same process afterwards, and on the screen."""
    before = desktop(lab)
    yield
    assert desktop(lab) == before
    assert lab.greeter_shown()


def refused(lab: Lab) -> str:
    """What virsh says of the start that must fail."""
    status, words = start(lab)
    assert status == 1
    return words


def test_configuration_and_guest_disagree(lab: Lab) -> None:
    configure(lab, (AUDIO, USB))
    define(lab, Guest())
    assert f"<hostdev> {GPU} that {CONFIG} does not list" in refused(lab)


@pytest.mark.long
def test_device_that_is_not_there(lab: Lab) -> None:
    configure(lab, (*FUNCTIONS, "0000:00:1a.0"))
    define(lab, Guest())
    assert "0000:00:1a.0 of win10 is not in this PC" in refused(lab)


def test_foreign_device_in_the_group(lab: Lab) -> None:
    configure(lab, (AUDIO,))
    define(lab, Guest(hostdevs=(AUDIO,)))
    words = refused(lab)
    assert GPU in words
    assert "in use by the host's driver bochs-drm" in words


@pytest.mark.long
def test_broken_configuration_is_named_by_line(lab: Lab) -> None:
    lab.put(f"guests:\n  win10:\n    devices: [{GPU}\n", CONFIG)
    define(lab, Guest())
    assert "vfiod.yaml:4:1:" in refused(lab)
    assert checks.unit_state(lab, "vfiod") == "active"


def test_many_reasons_are_all_told_each_on_a_line_of_its_own(lab: Lab) -> None:
    """libvirt cuts nothing off: not of what a hook says, and not of its own error."""
    absent = [f"0000:{bus:02x}:1a.0" for bus in range(0x20, 0x60)]
    configure(lab, (*FUNCTIONS, *absent))
    define(lab, Guest())
    words = refused(lab)
    assert len(words) > 8000
    lines = words.splitlines()
    assert lines[1].endswith(f"vfiod: the device {absent[0]} of win10 is not in this PC")
    for address in absent[1:]:
        assert f"the device {address} of win10 is not in this PC" in lines
        assert f"{address} is configured for win10 but is no <hostdev> of the guest" in lines
    assert lines[-1].startswith("    ")


@pytest.mark.long
def test_rom_that_is_missing(lab: Lab) -> None:
    configure(lab, rom="/root/none.rom")
    define(lab, Guest(rom="/root/none.rom"))
    assert "cannot read /root/none.rom: No such file" in refused(lab)


@pytest.mark.long
def test_rom_of_another_card(lab: Lab) -> None:
    configure(lab, rom=f"{ROMS}/vgabios-virtio.bin")
    define(lab, Guest(rom=f"{ROMS}/vgabios-virtio.bin"))
    words = refused(lab)
    assert f"does not fit {GPU} [1234:1111]" in words


@pytest.mark.long
def test_rom_that_the_guest_does_not_use(lab: Lab) -> None:
    configure(lab, rom=f"{ROMS}/vgabios-stdvga.bin")
    define(lab, Guest())
    assert f"<rom file='/usr/share/vgabios/vfiod/{GPU}.rom'/>" in refused(lab)


@pytest.mark.long
def test_more_memory_than_there_is(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest(memory=64 * 1024))
    assert "needs 64.0 GiB of memory" in refused(lab)


@pytest.mark.long
def test_disk_that_is_missing(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest())
    path = Guest().disk_path
    lab.run("mv", path, f"{path}.away")
    try:
        assert f"<disk> {path} does not exist" in refused(lab)
    finally:
        lab.run("mv", f"{path}.away", path)


@pytest.mark.long
def test_another_guest_has_a_device(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest())
    define(lab, Guest("other", hostdevs=(USB,), does="stay", managed=True))
    lab.run("virsh", "start", "other", timeout=120)
    try:
        assert "another guest has a device of win10" in refused(lab)
    finally:
        stop(lab, "other")
        lab.run("virsh", "undefine", "--nvram", "other")


def test_masked_daemon_fails_closed_and_lets_others_pass(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest())
    define(lab, Guest("other", hostdevs=(), does="stay"))
    lab.run("systemctl", "mask", "--now", "vfiod")
    try:
        words = refused(lab)
        assert "the desktop not touched: the vfiod daemon cannot be reached" in words
        assert start(lab, "other") == (0, "")
        stop(lab, "other")
    finally:
        lab.run("systemctl", "unmask", "vfiod")
        lab.run("systemctl", "start", "vfiod")
        lab.run("virsh", "undefine", "--nvram", "other")


def test_an_unmanaged_guest_does_not_notice(lab: Lab) -> None:
    configure(lab)
    define(lab, Guest("other", hostdevs=(), does="stay"))
    lab.put('#!/bin/sh\necho "$1 $2" >> /run/other-hook\n', OTHER_HOOK, 0o755)
    lines = lab.output("journalctl", "-t", "vfiod", "-o", "cat", "--no-pager")
    try:
        assert start(lab, "other") == (0, "")
        stop(lab, "other")
        assert lab.output("journalctl", "-t", "vfiod", "-o", "cat", "--no-pager") == lines
        assert "other prepare" in lab.output("cat", "/run/other-hook")
    finally:
        lab.run("rm", OTHER_HOOK)
        lab.run("virsh", "undefine", "--nvram", "other")
    assert not guest.state(lab, "win10").startswith("running")
