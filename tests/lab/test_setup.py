"""A real Debian that was set up statically gets its display back, and its files as well."""

from __future__ import annotations

import pytest

from . import byhand
from .conftest import Labs
from .emulator.hardware import AUDIO, GPU
from .emulator.machine import Lab

IDS = "1234:1111,8086:2668"
PLANTED = {
    "/etc/modprobe.d/vfio.conf": f"options vfio-pci ids={IDS} disable_vga=1\nblacklist bochs\n",
    "/etc/modprobe.d/softdep.conf": "softdep snd_hda_intel pre: vfio-pci\n",
    "/etc/modules": f"# mine\nvfio_pci ids={IDS}\n",
}
PRIVATE = "/etc/modprobe.d/softdep.conf"


def snapshot(lab: Lab) -> str:
    """Kind, mode, owner and contents of everything below /etc."""
    return lab.sh(
        "find /etc -printf '%y %m %u:%g %p %l\n' | sort;"
        " find /etc -type f -exec sha256sum {} + | sort -k 2"
    ).stdout


@pytest.mark.long
def test_a_static_set_up_is_taken_out_and_comes_back_to_the_byte(fresh_lab: Labs) -> None:
    lab = fresh_lab()
    for path, text in PLANTED.items():
        lab.put(text, path)
    lab.run("chmod", "0600", PRIVATE)
    lab.restart()
    assert byhand.drivers(lab, [GPU, AUDIO]) == {GPU: "vfio-pci", AUDIO: "vfio-pci"}
    planted = snapshot(lab)

    shown = lab.output("vfiod", "setup", "--dry-run", user="alice")
    assert "+# taken out by vfiod setup: blacklist bochs" in shown
    assert f"Only root may read {PRIVATE}" in shown
    assert snapshot(lab) == planted
    refused = lab.run("vfiod", "setup", "--yes", user="alice", check=False)
    assert (refused.returncode, "run: sudo vfiod setup --yes" in refused.stderr) == (8, True)

    done = lab.output("vfiod", "setup", "--yes", timeout=900)
    assert "Running update-initramfs -u -k all" in done
    lab.reboot()
    assert byhand.drivers(lab, [GPU, AUDIO]) == {GPU: "bochs-drm", AUDIO: "snd_hda_intel"}
    again = lab.output("vfiod", "setup", "--yes")
    assert "nothing for setup to change" in again

    lab.run("vfiod", "setup", "--undo", "--yes", timeout=900)
    assert snapshot(lab) == planted
    left = lab.run("vfiod", "uninstall-check", check=False).stdout
    assert "setup" not in left


@pytest.mark.long
def test_a_missing_hook_is_put_in_place(fresh_lab: Labs) -> None:
    lab = fresh_lab()
    hook = "/etc/libvirt/hooks/qemu.d/50-vfiod"
    lab.run("chmod", "a-x", hook)
    assert "missing or not executable" in lab.output("vfiod", "setup", "--yes")
    lab.run("test", "-x", hook)
