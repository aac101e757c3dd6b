"""The recorder: what it takes along, what it leaves out, and whose machine nobody learns."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.tree import Contents, Link, grow, pci_function
from tests.hosts import NAMES, build
from tests.unit.cli.verbs.test_groups import told
from vfiod.tools.recording import trim
from vfiod.tools.recording.format import dump, load, materialise
from vfiod.tools.recording.record import record
from vfiod.tools.recording.redact import Redactor, read_redactor

UUID = "6a2f41a3-c54c-fce8-32d2-0324e1c32e22"
FIRST = "00000000-0000-0000-0000-000000000001"
SECRETS = ("alice", "thinkbox", "52:54:00:ab:cd:ef", UUID, "S3Z8NB0K", "hunter2", "203.0.113.77",
           "2001:19f0:5::1", "enx525400abcdef", "Holiday")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_pc_made_of_its_recording_is_judged_the_same(tmp_path: Path, name: str) -> None:
    original, copy = tmp_path / "original", tmp_path / "copy"
    recorded = record(build(name, original))
    materialise(load(dump(recorded)), copy)
    assert told(copy, board=True) == told(original, board=True)
    assert record(copy).tree == recorded.tree


def test_what_says_whether_unified_images_are_booted(tmp_path: Path) -> None:
    names = ("etc/kernel/install.conf", "usr/lib/kernel/install.conf.d/50-uki.conf")
    grow(tmp_path, {name: f"layout={number}\n" for number, name in enumerate(names)})
    text = dump(record(tmp_path))
    assert "install.conf: layout=0" in text.replace("'", "")
    assert "50-uki.conf: layout=1" in text.replace("'", "")


@pytest.mark.parametrize("name", ["a\x0b- b", "a\u2028-\u2028b", "a-\x85"])
def test_the_name_of_a_mount_point_hinders_no_report(tmp_path: Path, name: str) -> None:
    grow(tmp_path, {"proc/self/mountinfo": f"99 30 0:50 / /run/{name} rw - fuse x:/y rw\n"
                    "25 1 8:1 / /boot/efi rw - vfat /dev/sda1 rw\n"})  # fmt: skip
    text = dump(record(tmp_path))
    assert "25 1 8:1 / /boot/efi rw - vfat /dev/sda1 rw" in text
    assert "fuse" not in text


def test_nobody_learns_whose_machine_it_is(tmp_path: Path) -> None:
    nic: dict[str, Contents] = {"net/enx525400abcdef/operstate": "up\n"}
    files: dict[str, Contents] = {
        **pci_function("0000:00:1f.6", driver="e1000e", more=nic),
        "sys/class/net/enx525400abcdef": Link(
            "sys/devices/pci0000:00/0000:00:1f.6/net/enx525400abcdef"
        ),
        "proc/sys/kernel/hostname": "thinkbox.example\n",
        "proc/cmdline": f"root=UUID={UUID} ip=203.0.113.77 ifname=x:52:54:00:ab:cd:ef\n",
        "proc/self/mountinfo": (
            "25 1 8:1 / /home/alice/Holiday rw - ext4 /dev/sda1 rw\n"
            "26 1 0:5 / /alice rw - tmpfs tmpfs rw\n"
            "36 24 0:32 / /dev/hugepages rw shared:15 - hugetlbfs hugetlbfs rw,pagesize=2M\n"
            "37 24 0:33 / /home/alice/pages rw - hugetlbfs hugetlbfs rw,pagesize=2M\n"
        ),
        "proc/net/ipv6_route": f"{'0' * 32} 00 {'0' * 32} 00 200119f0000500000000000000000001 "
        "00000400 00000001 00000000 00000003 enx525400abcdef\n",
        "etc/passwd": "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000:Alice:/home/alice:/bin/sh\n",
        "etc/libvirt/hooks/qemu": "#!/bin/sh\n# by alice\n/home/alice/bin/x 2001:19f0:5::1\n",
        "etc/libvirt/qemu.conf": '# comment\nspice_password = "hunter2"\nuser = "alice"\n',
        "etc/modprobe.d/disk.conf": "options x dev=/dev/disk/by-id/ata-S3Z8NB0K\n",
        "var/lib/systemd/linger/alice": "",
    }
    grow(tmp_path, files)
    text = dump(record(tmp_path))
    assert [secret for secret in SECRETS if secret.lower() in text.lower()] == []
    assert "/home rw - ext4 /dev/sda1" in text
    assert "/dev/hugepages rw shared:15 - hugetlbfs hugetlbfs rw,pagesize=2M" in text
    assert "/var/lib/systemd/linger: {user1: ''}" in text
    assert "enx000000000001" in text


def test_what_cannot_be_read_is_there_but_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    grow(tmp_path, {"proc/cmdline": "quiet\n"})
    # Root may read anything, so the refusal is played.
    monkeypatch.setattr(Path, "open", refuse)
    recorded = record(tmp_path)
    assert recorded.tree["/proc"] == {"cmdline": ""}
    assert "1 of the files could not be read" in recorded.about


def refuse(path: Path, *_: object, **__: object) -> object:
    raise PermissionError(13, "Permission denied", str(path))


def test_nothing_makes_the_recorder_wait(tmp_path: Path) -> None:
    (tmp_path / "etc/libvirt/hooks").mkdir(parents=True)
    os.mkfifo(tmp_path / "etc/libvirt/hooks/qemu")
    assert record(tmp_path).tree["/etc/libvirt/hooks"] == {"qemu": ""}


def test_reset_and_rom_are_never_read(tmp_path: Path) -> None:
    more: dict[str, Contents] = {"reset": "", "rom": b"\x55\xaa"}
    grow(tmp_path, pci_function("0000:01:00.0", more=more))
    entries = record(tmp_path).tree["/sys/devices/pci0000:00/0000:01:00.0"]
    assert (entries["reset"], entries["rom"]) == ("", "")


@pytest.mark.parametrize(("state", "read"), [("D0", "3f00"), ("D3cold", "")])
def test_no_card_is_woken(tmp_path: Path, state: str, read: str) -> None:
    more: dict[str, Contents] = {"power_state": f"{state}\n", "resource0_resize": "3f00\n"}
    grow(tmp_path, pci_function("0000:01:00.0", more=more))
    entries = record(tmp_path).tree["/sys/devices/pci0000:00/0000:01:00.0"]
    assert entries["resource0_resize"] == read


def test_of_acpi_tables_only_the_head(tmp_path: Path) -> None:
    grow(tmp_path, {"sys/firmware/acpi/tables/VFCT": b"VFCT\0" + bytes(70_000)})
    table = record(tmp_path).tree["/sys/firmware/acpi/tables"]["VFCT"]
    assert table == b"VFCT\0" + bytes(123)


def test_on_this_machine() -> None:
    recorded = record()
    assert recorded.tree["/proc"]["cmdline"]
    assert load(dump(recorded)).tree == recorded.tree


# Stand-ins


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"UUID={UUID} {UUID}", f"UUID={FIRST} {FIRST}"),
        ("UUID=1A2B-3C4D LABEL=Holiday", "UUID=volume-1 LABEL=label-1"),
        ("52:54:00:ab:cd:ef 52:54:00:ab:cd:01", "00:00:00:00:00:01 00:00:00:00:00:02"),
        ("wlx525400abcdef enp4s0", "wlx000000000001 enp4s0"),
        ("ip=192.168.1.7 127.0.0.1 0.0.0.0", "ip=192.0.2.1 127.0.0.1 0.0.0.0"),
        ("fe80::1 fd00:1::2", "2001:db8::1 2001:db8::2"),
        ("0000:01:00.0 1002:67df,1002:aaf0", "0000:01:00.0 1002:67df,1002:aaf0"),
        ("/home/alice/x malice alice-x", "/home/user1/x malice user1-x"),
        ("on thinkbox now", "on host1 now"),
        ("6.1.0-37-amd64", "6.1.0-37-amd64"),
        ("0" * 32, "0" * 32),
        ("SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",) * 2,
    ],
)  # fmt: skip
def test_stand_ins(text: str, expected: str) -> None:
    assert Redactor(hosts=["thinkbox"], users=["alice"]).text(text) == expected


def test_names_that_say_nothing_stay(tmp_path: Path) -> None:
    grow(tmp_path, {"proc/sys/kernel/hostname": "debian\n", "etc/passwd": "me:x:1000:1000::/:\n"})
    assert read_redactor(tmp_path).text("ID=debian me root") == "ID=debian me root"


# Long files


def test_interrupts_tell_their_controllers() -> None:
    text = "      CPU0  CPU1\n  1:  9  0  IR-IO-APIC  1-edge  i8042\nNMI:  0  0  Non-maskable\n"
    assert trim.interrupts(text) == "CPU0\n1: 9 IR-IO-APIC 1-edge i8042"


def test_the_first_processor_only() -> None:
    text = "processor\t: 0\nbogomips\t: 1\nflags\t\t: svm\n\nprocessor\t: 1\n"
    assert trim.first_processor(text) == "processor\t: 0\nflags\t\t: svm"


@pytest.mark.parametrize("shorten", dict.fromkeys(trim.TRIMS.values()))
def test_nothing_is_made_of_nothing(shorten: Callable[[str], str]) -> None:
    assert shorten("").strip() in ("", "CPU0")
