"""The ROM of the boot display: out of reach on a PC that UEFI firmware started, until it is found
anew; then what sysfs gives is the file QEMU gave the card."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import byhand, checks
from .emulator.hardware import FUNCTIONS, GPU
from .emulator.machine import Lab
from .guest import Guest
from .scene import configure, define, desktop, start, stop, stop_desktop, wait_for_host

GIVEN = "/usr/share/seabios/vgabios-stdvga.bin"
STAGED = f"/usr/share/vgabios/vfiod/{GPU}.rom"
DUMP = "/root/dumped.rom"


def dump(lab: Lab, *options: str) -> tuple[int, str]:
    """vfiod rom dump: its status and all it said."""
    done = lab.run("vfiod", "rom", "dump", GPU, DUMP, *options, check=False)
    return done.returncode, done.stdout + done.stderr


def rom_is_off(lab: Lab) -> bool:
    """The kernel refuses to read a ROM that is not switched on."""
    done = lab.run("head", "-c1", f"/sys/bus/pci/devices/{GPU}/rom", check=False)
    return "Invalid argument" in done.stderr


def exists(lab: Lab, path: str) -> bool:
    """Whether a file is there."""
    return lab.run("test", "-e", path, check=False).returncode == 0


@pytest.fixture(autouse=True)
def nothing_left(lab: Lab, clean_host: None) -> Iterator[None]:
    """The ROM is off and the display manager runs, whatever was tried."""
    yield
    assert rom_is_off(lab)
    assert checks.unit_state(lab, "lightdm") == "active"
    wait_for_host(lab)
    lab.run("rm", "-f", DUMP)


@pytest.mark.long
def test_the_shadow_without_a_copy_is_explained(lab: Lab) -> None:
    before = desktop(lab)
    status, words = dump(lab)
    assert status == 6
    assert "0xC0000" in words
    assert "--rescan" in words
    assert not exists(lab, DUMP)
    assert desktop(lab) == before


@pytest.mark.long
def test_the_card_of_a_desktop_is_not_found_anew(lab: Lab) -> None:
    before = desktop(lab)
    status, words = dump(lab, "--rescan", "--yes")
    assert status == 5
    assert "in use" in words
    assert "systemctl stop display-manager" in words
    assert desktop(lab) == before


@pytest.mark.long
def test_found_anew_it_gives_the_rom_that_a_guest_can_use(lab: Lab) -> None:
    drivers = byhand.drivers(lab, FUNCTIONS)
    stop_desktop(lab)
    status, words = dump(lab, "--rescan")
    assert (status, "add --yes" in words) == (1, True)
    status, words = dump(lab, "--rescan", "--yes")
    lab.run("systemctl", "start", "lightdm")
    assert status == 0, words
    assert lab.get(DUMP) == lab.get(GIVEN)
    assert byhand.drivers(lab, FUNCTIONS) == drivers
    wait_for_host(lab)
    configure(lab, rom=DUMP)
    define(lab, Guest(does="stay", rom=STAGED))
    assert start(lab) == (0, "")
    assert lab.get(STAGED) == lab.get(GIVEN)
    stop(lab)


@pytest.mark.long
def test_then_it_can_be_read_under_the_greeter(lab: Lab) -> None:
    """It depends on the one before: the kernel knows the card anew until the next boot."""
    before = desktop(lab)
    status, words = dump(lab)
    assert (status, "add --yes" in words) == (1, True)
    assert not exists(lab, DUMP)
    status, words = dump(lab, "--yes")
    assert status == 0, words
    assert lab.get(DUMP) == lab.get(GIVEN)
    assert dump(lab, "--yes")[0] == 6
    assert lab.get(DUMP) == lab.get(GIVEN)
    assert desktop(lab) == before
    assert lab.greeter_shown()
