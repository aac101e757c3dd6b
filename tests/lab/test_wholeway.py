"""The whole way of somebody who tries vfiod and then removes it: nothing of it is left."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from . import byhand
from .conftest import Labs
from .emulator.hardware import AUDIO, GPU
from .emulator.machine import Lab
from .scene import wait_for_host
from .test_firststart import NAME, create, init, run_to_its_end, without_kvm
from .test_setup import PLANTED, snapshot

PACKAGE = "/root/vfiod.deb"
# libvirt's own, which it leaves there: the profile of a guest that is undefined.
OTHERS = re.compile(r"/etc/apparmor\.d/libvirt/libvirt-")


def outside(lab: Lab) -> list[str]:
    """Everything below /etc that a person could miss."""
    return [line for line in snapshot(lab).splitlines() if not OTHERS.search(line)]


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
    create(lab)
    init(lab)
    assert "It works" in lab.output("vfiod", "rehearse", NAME, "--yes", timeout=180)
    wait_for_host(lab)
    run_to_its_end(lab)

    lab.run("vfiod", "init", NAME, "--revert", "--yes", timeout=120)
    lab.run("virsh", "undefine", "--nvram", NAME)
    lab.run("vfiod", "setup", "--undo", "--yes", timeout=900)
    lab.run("dpkg", "--purge", "vfiod", timeout=120)
    assert outside(lab) == before
    left = lab.output("find", "/usr", "/run", "/var/lib", "-xdev", "-name", "*vfiod*").split()
    assert [path for path in left if "vfiod_fault" not in path] == []  # that one is the lab's
