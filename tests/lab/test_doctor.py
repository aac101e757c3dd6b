"""doctor finds each of the defects planted here one at a time, and none in a host that is whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from . import guest
from .emulator.hardware import AUDIO, FUNCTIONS, GPU, USB
from .emulator.machine import Lab
from .guest import Guest
from .scene import CONFIG, configure

HOOK = "/etc/libvirt/hooks/qemu.d/50-vfiod"
OTHER_HOOK = "/etc/libvirt/hooks/qemu.d/10-other"
MODPROBE = "/etc/modprobe.d/vfio.conf"
ROM = "/usr/share/seabios/vgabios-stdvga.bin"
DISK = Guest().disk_path
QEMU_CONF = "/etc/libvirt/qemu.conf"
HIDDEN = "/root/gpu.rom"
ABSENT = "0000:00:1a.0"
pytestmark = pytest.mark.usefixtures("painted")


WHOLE = Guest()


@dataclass(frozen=True)
class Change:
    """Something done to the lab by shell, and how it is undone."""

    do: str = "true"
    undo: str = "true"


@dataclass(frozen=True)
class Defect:
    """What doctor must say, and what is wrong then.

    ``devices`` and ``rom`` go into the configuration, ``swap`` is one replacement in the XML.
    """

    check: str
    words: str
    change: Change = Change()
    devices: Sequence[str] = FUNCTIONS
    rom: str = ""
    guest: Guest = WHOLE
    swap: tuple[str, str] = ("", "")
    level: str = "fail"


def covered(folder: str) -> Change:
    """The folder looks empty."""
    return Change(f"mount -t tmpfs tmpfs {folder}", f"umount {folder}")


def added(path: str, text: str, mode: str = "644") -> Change:
    """One more file."""
    return Change(f"printf '{text}\\n' > {path}; chmod {mode} {path}", f"rm {path}")


def aside(path: str, instead: str = "true") -> Change:
    """The file is elsewhere; ``instead`` is done when it has gone."""
    return Change(f"mv {path} /root/aside; {instead}", f"mv /root/aside {path}")


def masked(unit: str) -> Change:
    return Change(f"systemctl mask {unit}", f"systemctl unmask {unit}")


DETACHES = "#!/bin/sh\\nvirsh nodedev-detach pci_0000_00_05_0"
OVERRIDES = f'KERNEL=="{GPU}", ATTR{{driver_override}}="vfio-pci"'
UNCONFINED = f"cp /root/aside {QEMU_CONF}; echo 'security_driver = \"none\"' >> {QEMU_CONF}"
CLOSED = Change(f"mkdir -m 700 /srv/closed; cp {DISK} /srv/closed/a.img", "rm -r /srv/closed")

HOST = (
    Defect("iommu-on", "the kernel does not use it", covered("/sys/kernel/iommu_groups")),
    Defect("leftovers", MODPROBE, added(MODPROBE, "options vfio-pci ids=1234:1111")),
    Defect("leftovers", "driver_override", added("/etc/udev/rules.d/99-vfio.rules", OVERRIDES)),
    Defect("display-manager", "is masked", masked("lightdm")),
    Defect("lingering", "alice", added("/var/lib/systemd/linger/alice", ""), level="warn"),
    Defect("vfiod-service", "is masked", masked("vfiod")),
    Defect("hook", "is not executable", Change(f"chmod -x {HOOK}", f"chmod +x {HOOK}")),
    Defect("hook", "is not installed", aside(HOOK)),
    Defect("hook", "not vfiod's own", aside(HOOK, f"echo '#!/bin/sh' > {HOOK}")),
    Defect("other-hook", OTHER_HOOK, added(OTHER_HOOK, DETACHES, "755")),
    Defect("confinement", "security_driver", aside(QEMU_CONF, UNCONFINED), level="warn"),
    Defect("configuration", "can write it", Change(f"chown alice {CONFIG}", f"chown 0 {CONFIG}")),
    Defect("configuration", "vfiod.yaml:", Change(f"echo 'nonsense: 1' >> {CONFIG}")),
    Defect("all-can-be-opened", DISK, aside(DISK)),
)
DEVICES = (
    Defect("devices-exist", ABSENT, devices=(*FUNCTIONS, ABSENT)),
    Defect("slot-is-whole", AUDIO, devices=(GPU, USB), guest=Guest(hostdevs=(GPU, USB))),
    Defect("group-is-viable", "bochs-drm", devices=(AUDIO,), guest=Guest(hostdevs=(AUDIO,))),
    Defect("domain-agrees", "is no <hostdev>", guest=Guest(hostdevs=(GPU, AUDIO))),
)
GUEST = (
    Defect("roms-fit", "cannot read /root/none.rom", rom="/root/none.rom"),
    Defect("roms-are-used", f"<hostdev> {GPU} reads the ROM", rom=ROM),
    Defect("rom-readable", HIDDEN, Change(f"cp {ROM} {HIDDEN}"), guest=Guest(rom=HIDDEN)),
    Defect("memory-is-enough", "64.0 GiB", guest=Guest(memory=64 * 1024)),
    Defect("qemu-reads", "/srv/closed", CLOSED, swap=(DISK, "/srv/closed/a.img"), level="warn"),
    Defect("managed", f"{GPU} is managed", guest=Guest(managed=True), level="warn"),
    Defect("memballoon", "balloon", swap=("balloon model='none'", "balloon model='virtio'"),
           level="warn"),
    Defect("emulated-screen", "vga", swap=("<model type='none'/>", "<model type='vga'/>"),
           level="warn"),
    Defect("rom-bar", GPU, swap=("</source>", "</source><rom bar='off'/>"), level="warn"),
)  # fmt: skip


@pytest.fixture(scope="module")
def painted(lab: Lab) -> None:
    """What the guest boots is there; the domain itself is defined by each test."""
    guest.define(lab, Guest())
    lab.run("virsh", "undefine", "win10")


# A uuid of its own lets virsh define the guest over the one of the defect before.
UUID = "<uuid>5f1d0c3e-7a53-4f0e-9d0a-4b8f0e6f2a11</uuid>"
SCRIPT = """
cp /dev/stdin /run/win10.xml
virsh define /run/win10.xml >/dev/null
trap '{undo}' EXIT
{do}
vfiod doctor win10 --json || [ $? -ge 10 ]
"""


def findings(lab: Lab, defect: Defect) -> list[dict[str, Any]]:
    """What doctor says that is not ok, with this one thing wrong."""
    configure(lab, defect.devices, rom=defect.rom)
    text = guest.domain_xml(defect.guest).replace("<memory ", f"{UUID}<memory ", 1)
    before, after = defect.swap
    assert before in text
    change = defect.change
    script = SCRIPT.format(do=change.do, undo=change.undo)
    done = lab.run("sh", "-e", "-c", script, stdin=text.replace(before, after, 1))
    said = json.loads(done.stdout)
    return [finding for finding in said["findings"] if finding["level"] != "ok"]


def fails(lab: Lab) -> list[dict[str, Any]]:
    """What is wrong with a host on which nothing was planted."""
    return [f for f in findings(lab, Defect("", "")) if f["level"] == "fail"]


def each(defects: Sequence[Defect]) -> list[Any]:
    """All of them, most of which only the long run plants."""
    return [
        pytest.param(d, id=f"{d.check}: {d.words}", marks=pytest.mark.long if n % 14 else ())
        for n, d in enumerate(defects)
    ]


def test_a_whole_host_has_no_fail(lab: Lab) -> None:
    assert fails(lab) == []


def test_an_ordinary_user_may_look(lab: Lab) -> None:
    done = lab.run("vfiod", "doctor", "win10", check=False, user="alice")
    assert "0 failed" in done.stdout
    assert "Seen as an ordinary user" in done.stdout
    assert done.stderr == ""
    assert done.returncode == 10


@pytest.mark.parametrize("defect", each([*HOST, *DEVICES, *GUEST]))
def test_defect(lab: Lab, defect: Defect) -> None:
    found = findings(lab, defect)
    mine = [f for f in found if f["check"] == defect.check and defect.words in f["fact"]]
    assert [f["level"] for f in mine] == [defect.level], found
    assert mine[0]["why"]
    assert mine[0]["remedy"]


def test_nothing_planted_is_left(lab: Lab) -> None:
    assert fails(lab) == []
