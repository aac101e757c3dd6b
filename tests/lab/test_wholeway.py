"""The whole way of somebody who tries vfiod and then removes it: nothing of it is left."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.terminal import QUESTION

from . import byhand, guest, person
from .conftest import Labs
from .emulator.hardware import AUDIO, FUNCTIONS, GPU
from .emulator.machine import Lab
from .scene import desktop, phase, wait_for_host
from .test_firststart import NAME, create, see_it_run_to_its_end, without_kvm
from .test_setup import PLANTED, snapshot

PACKAGE = "/root/vfiod.deb"
TRIAL = "vfiod-trial.timer"
# libvirt's own, which it leaves there: the profile of a guest that is undefined.
OTHERS = re.compile(r"/etc/apparmor\.d/libvirt/libvirt-")


def outside(lab: Lab) -> list[str]:
    """Everything below /etc that a person could miss."""
    return [line for line in snapshot(lab).splitlines() if not OTHERS.search(line)]


def by_what_is_printed(lab: Lab, said: str) -> None:
    """From a new guest to one that has had the screen, answering at a terminal."""
    person.sit_down(lab)
    made = follow(lab, said, "sudo vfiod init")
    for command in (c for c in person.commands(made) if "virt-xml" in c):
        assert person.types(lab, command)[0] == 0
    follow(lab, made, "sudo vfiod tune")
    plan = follow(lab, made, "sudo vfiod plan")
    rehearsed = follow_after_a_no(lab, plan, "sudo vfiod rehearse")
    assert "It works: there and back in" in rehearsed
    wait_for_host(lab)
    on_trial = follow_after_a_no(lab, rehearsed, "sudo vfiod try")
    assert set(byhand.drivers(lab, FUNCTIONS).values()) == {"vfio-pci"}
    assert "Confirmed: the guest stays." in follow(lab, on_trial, "sudo vfiod keep")
    see_it_run_to_its_end(lab)


def follow(lab: Lab, said: str, start: str) -> str:
    """Type the command that was printed, and agree; what it says."""
    status, output = person.types(lab, person.told(said, start), answer="y")
    assert status == 0, output
    return output


def follow_after_a_no(lab: Lab, said: str, start: str) -> str:
    """The same, after it was answered no: then the desktop stays, and the guest is off."""
    before = desktop(lab)
    status, output = person.types(lab, person.told(said, start), answer="n")
    assert status == 1, output
    warning, _, rest = output.partition(QUESTION)
    assert "The desktop ends" in warning
    assert "What is not saved in it is lost." in " ".join(warning.split())
    assert rest.split() == ["n"]
    assert (desktop(lab), phase(lab)) == (before, "host")
    assert guest.is_off(lab, NAME)
    assert lab.run("systemctl", "is-active", TRIAL, check=False).stdout.strip() == "inactive"
    agreed = follow(lab, said, start)
    assert desktop(lab) != before
    return agreed


@pytest.mark.long
def test_from_a_static_set_up_to_a_guest_and_all_the_way_back(
    fresh_lab: Labs, deb: Path | None
) -> None:
    assert deb is not None, "needs --deb"
    lab = fresh_lab()
    lab.run("dpkg", "--purge", "vfiod", timeout=120)
    for path, text in PLANTED.items():
        lab.put(text, path)
    lab.restart()
    without_kvm(lab)
    before = outside(lab)

    lab.put(deb.read_bytes(), PACKAGE)
    lab.run("dpkg", "--install", PACKAGE, timeout=180)
    lab.run("vfiod", "setup", "--yes", timeout=900)
    lab.reboot()
    assert byhand.drivers(lab, [GPU, AUDIO]) == {GPU: "bochs-drm", AUDIO: "snd_hda_intel"}
    assert lab.run("vfiod", "doctor", check=False, timeout=120).returncode in (0, 10)
    without_kvm(lab)
    by_what_is_printed(lab, create(lab))

    lab.run("vfiod", "init", NAME, "--revert", "--yes", timeout=120)
    lab.run("virsh", "undefine", "--nvram", NAME)
    lab.run("vfiod", "setup", "--undo", "--yes", timeout=900)
    lab.run("dpkg", "--purge", "vfiod", timeout=120)
    assert outside(lab) == before
    left = lab.output("find", "/usr", "/run", "/var/lib", "-xdev", "-name", "*vfiod*").split()
    assert [path for path in left if "vfiod_fault" not in path] == []  # that one is the lab's
