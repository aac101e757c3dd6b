"""Planted secrets must not come out; what a helper needs must."""

from pathlib import Path

import pytest

from tests.fakes.tree import grow
from vfiod.tools.recording.redact import Redactor, read_redactor

PEOPLE = ("alice", "Alice Liddell", "bob")
HOSTS = ("kepler", "kepler.example.org")


def out(text: str) -> str:
    return Redactor(hosts=HOSTS, users=PEOPLE).text(text)


@pytest.mark.parametrize(("text", "secret"), [
    ("<mac address='52:54:00:6b:3c:58'/>", "52:54:00:6b:3c:58"),
    ("link/ether 52-54-00-6B-3C-58 brd", "52-54-00-6B-3C-58"),
    ("interface enx5254006b3c58 is up", "5254006b3c58"),
    ("<uuid>8f3c9e2a-0d49-4b52-9c1d-53f3c1a0b7d4</uuid>", "8f3c9e2a"),
    ("root=UUID=8F3C9E2A-0D49-4B52-9C1D-53F3C1A0B7D4 ro", "8F3C9E2A"),
    ("machine-id 0123456789abcdef0123456789abcdef", "0123456789abcdef"),
    ("<serial>S3Z9NB0K123456</serial>", "S3Z9NB0K"),
    ("serial: S3Z9NB0K123456", "S3Z9NB0K"),
    ("<serial>WD 12 34</serial>", "12 34"),
    ("<disk serial='WD 12 34'/>", "12 34"),
    ("serial=S3Z9NB0K123456,bus=sata", "S3Z9NB0K"),
    ("Serial Number: ABC-77 end", "ABC-77"),
    ("{serial: ABC-77, product: Mouse}", "ABC-77"),
    ("serial_number: 12-34-56-ff-fe-78-9a-bc", "fe-78"),
    ("ID_SERIAL_SHORT=ABC77", "ABC77"),
    ("<source dev='/dev/disk/by-id/ata-Samsung_SSD_860_S3Z9NB0K'/>", "S3Z9NB0K"),
    ("/dev/disk/by-id/wwn-0x5002538e40a12345", "5002538e"),
    ("nvme eui.0025385b71b00001 found", "0025385b"),
    ("/home/alice/vm/win10.qcow2", "alice"),
    ("/home/eve/vm/win10.qcow2", "eve"),
    ("/run/media/bob/stick", "bob"),
    ("alice is logged in to the desktop", "alice"),
    ("ALICE's PC", "ALICE"),
    ("Alice Liddell", "Liddell"),
    ("user-alice.slice and alice_old", "alice"),
    ("Nov 24 12:00:00 kepler vfiod[12]: ready", "kepler"),
    ("kepler.example.org", "example"),
    ("listening on 192.168.122.1 now", "192.168"),
    ("inet6 fe80::5054:ff:fe6b:3c58/64", "fe80"),
    ("2001:19f0:5:1:2:3:4:5 and 2001:19f0::1", "19f0"),
    ("<graphics type='spice' passwd='sesame'/>", "sesame"),
])  # fmt: skip
def test_secrets(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in out(text)


@pytest.mark.parametrize("text", [
    "0000:01:00.0 [1002:73bf] amdgpu",
    "options vfio-pci ids=1002:73bf,1002:ab28",
    "Nov 24 12:34:56 vfiod: handoff took 00:00:07",
    "vfiod 0.1.0, libvirt 9.0.0, QEMU 7.2.19",
    "IOMMU group 14, driver snd_hda_intel",
    "pci 0000:0a:00.0: BAR 0 [mem 0xd0000000-0xdfffffff 64bit pref]",
    "<address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>",
    "127.0.0.1 and ::1 are everybody's",
    "user@1000.service, session-2.scope",
    "malice and bobsled are words",
    "serial console ttyS0",
    "<serial>\n  <target/>",
    "usb 1-3: 2646:5013 Kingston, 3000:ab12: what",
])  # fmt: skip
def test_what_a_helper_needs_stays(text: str) -> None:
    assert out(text) == text


@pytest.mark.parametrize("text", [
    "NixOS 25.05 (Warbler), /etc/nixos/configuration.nix", "/dev/vfio/10, /sys/dev/block",
    "/proc/cmdline, /usr/bin/pci", "CachyOS, Manjaro, Bazzite, Pop-OS",
])  # fmt: skip
def test_a_name_that_stands_everywhere_tells_nothing(text: str) -> None:
    hosts = ("nixos", "cachyos", "manjaro", "bazzite", "pop-os")
    assert Redactor(hosts=hosts, users=("dev", "sys", "proc", "pci", "usr")).text(text) == text


def test_secrets_can_be_told_apart_across_texts() -> None:
    redactor = Redactor(users=PEOPLE)
    first = redactor.text("alice bob 52:54:00:00:00:01").split()
    second = redactor.text("bob 52:54:00:00:00:02 52-54-00-00-00-01").split()
    assert len({*first, *second}) == 4
    assert (second[0], second[2]) == (first[1], first[2])


def test_nothing_known_nothing_lost() -> None:
    assert Redactor().text("plain") == "plain"


PASSWD = """root:x:0:0:root:/root:/bin/bash
libvirt-qemu:x:64055:994:Libvirt Qemu,,,:/var/lib/libvirt:/usr/sbin/nologin
carol:x:1000:1000:Carol Danvers,,,:/home/carol:/bin/bash
"""


def test_people_and_host_of_a_machine(tmp_path: Path) -> None:
    grow(tmp_path, {
        "etc/passwd": PASSWD, "home/eve/x": "", "proc/sys/kernel/hostname": "kepler.local\n",
    })  # fmt: skip
    said = read_redactor(tmp_path).text("root libvirt-qemu carol Carol Danvers eve kepler")
    assert said.startswith("root libvirt-qemu user")
    assert not {"carol", "Danvers", "eve", "kepler"} & set(said.split())
