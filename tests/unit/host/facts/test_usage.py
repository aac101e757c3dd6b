"""What of the running host hangs on a device."""

from pathlib import Path

import pytest

from tests.fakes.tree import Contents, Link, grow
from vfiod.host.facts.usage import HostUsage, below

DISK = "sys/devices/pci0000:00/0000:03:00.0"
NIC = "sys/devices/pci0000:00/0000:04:00.0"
ROUTES = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files: dict[str, Contents] = {
        f"{DISK}/vendor": "0x8086\n",
        f"{DISK}/ata1/block/sda/dev": "8:0\n",
        f"{DISK}/ata1/block/sda/sda1/dev": "8:1\n",
        f"{DISK}/ata1/block/sda/sda2/dev": "8:2\n",
        f"{DISK}/ata1/block/sda/sda3/dev": "1:3\n",
        f"{NIC}/net/eth0/address": "\n",
        "sys/dev/block/8:1": Link(f"{DISK}/ata1/block/sda/sda1"),
        "sys/dev/block/8:2": Link(f"{DISK}/ata1/block/sda/sda2"),
        "sys/dev/block/1:3": Link(f"{DISK}/ata1/block/sda/sda3"),
        "sys/class/block/sda2": Link(f"{DISK}/ata1/block/sda/sda2"),
        "sys/class/block/dm-0": Link("sys/devices/virtual/block/dm-0"),
        "sys/devices/virtual/block/dm-0/dm/name": "home\n",
        "sys/devices/virtual/block/dm-0/dev": "254:0\n",
        "sys/devices/virtual/block/dm-0/slaves/sda2": Link(f"{DISK}/ata1/block/sda/sda2"),
        "sys/dev/block/254:0": Link("sys/devices/virtual/block/dm-0"),
        "sys/class/net/eth0": Link(f"{NIC}/net/eth0"),
        "sys/devices/virtual/net/br0/address": "\n",
        "sys/devices/virtual/net/br0/lower_eth0": Link(f"{NIC}/net/eth0"),
        "sys/class/net/br0": Link("sys/devices/virtual/net/br0"),
        "proc/self/mountinfo": "20 1 0:21 / /proc rw - proc proc rw\n",
        "proc/swaps": "Filename Type Size Used Priority\n",
        "proc/net/route": ROUTES,
    }
    grow(tmp_path, files)
    return tmp_path


def on(root: Path, device: str) -> list[str]:
    return below(root / device, HostUsage(root).uses())


def mount(root: Path, line: str) -> None:
    (root / "proc/self/mountinfo").write_text(line)


SECOND = "sys/devices/pci0000:00/0000:05:00.0"


def second_disk(root: Path) -> None:
    grow(root, {
        f"{SECOND}/ata2/block/sdb/dev": "8:16\n",
        "sys/dev/block/8:16": Link(f"{SECOND}/ata2/block/sdb"),
        "sys/class/block/sdb": Link(f"{SECOND}/ata2/block/sdb"),
    })  # fmt: skip


def test_every_disk_of_a_btrfs_counts(root: Path) -> None:
    second_disk(root)
    devices = "sys/fs/btrfs/0f1e/devices"
    grow(root, {f"{devices}/sda2": Link("sys/class/block/sda2")})
    grow(root, {f"{devices}/sdb": Link("sys/class/block/sdb")})
    mount(root, "25 1 0:31 / /srv rw - btrfs /dev/sda2 rw\n")
    assert on(root, DISK) == on(root, SECOND) == ["the mounted file system /srv"]


def test_every_disk_of_a_bcachefs_counts(root: Path) -> None:
    second_disk(root)
    mount(root, "25 1 0:31 / /srv rw - bcachefs /dev/sda2:/dev/sdb rw\n")
    assert on(root, DISK) == on(root, SECOND) == ["the mounted file system /srv"]


def test_every_disk_of_a_zfs_pool_counts_and_no_other_pool_s(root: Path) -> None:
    second_disk(root)
    member = "S:disk/by-id/x\nE:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL={}\n"
    grow(root, {"run/udev/data/b8:2": member.format("tank")})
    grow(root, {"run/udev/data/b8:16": member.format("tank2"), "run/udev/data/+pci:0": "\n"})
    mount(root, "25 1 0:31 / / rw - zfs tank/ROOT/debian rw\n")
    assert on(root, DISK) == ["the mounted file system /"]
    assert on(root, SECOND) == []


def test_nothing_stands_on_an_idle_disk(root: Path) -> None:
    assert on(root, DISK) == []


def test_a_mounted_partition(root: Path) -> None:
    mount(root, "25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n")
    assert on(root, DISK) == ["the mounted file system /"]
    assert on(root, NIC) == []


# What str.split() and str.splitlines() take for an end, and the kernel does not escape.
ODD = "\x0b\x0c\x1c\x1d\x1e\x85\xa0\u2028\u2029"


@pytest.mark.parametrize("char", ODD)
def test_a_name_that_somebody_gave_a_mount_point_ends_no_line(root: Path, char: str) -> None:
    """Whoever has FUSE chooses it, and needs no root for that."""
    mount(root, f"99 30 0:50 / /tmp/a{char}-{char}b rw - fuse.sshfs x:/y{char} rw\n"
                "25 1 8:1 / /srv rw,relatime shared:1 - ext4 /dev/sda1 rw\n")  # fmt: skip
    assert on(root, DISK) == ["the mounted file system /srv"]


def test_a_mount_point_cannot_steer_the_terminal(root: Path) -> None:
    mount(root, "25 1 8:1 / /media/\x1b[2J rw - ext4 /dev/sda1 rw\n")
    assert on(root, DISK) == ["the mounted file system /media/?[2J"]


@pytest.mark.parametrize("line", ["", "- - -", "25 1 8:1 / /x rw", "25 - ext4 /dev/sda1 rw"])
def test_a_line_that_is_not_understood_is_passed_over(root: Path, line: str) -> None:
    mount(root, f"{line}\n25 1 8:1 / / rw - ext4 /dev/sda1 rw\n")
    assert on(root, DISK) == ["the mounted file system /"]


@pytest.mark.parametrize("char", ODD)
def test_a_label_that_somebody_gave_a_disk_ends_no_line(root: Path, char: str) -> None:
    said = f"E:ID_FS_LABEL=x{char}E:ID_FS_TYPE=zfs_member{char}E:ID_FS_LABEL=tank\n"
    grow(root, {"run/udev/data/b8:2": said})
    mount(root, "25 1 0:31 / / rw - zfs tank/ROOT/debian rw\n")
    assert on(root, DISK) == []


def test_a_mounted_volume_over_others(root: Path) -> None:
    mount(root, "25 1 254:0 / /home rw - ext4 /dev/mapper/home rw\n")
    assert on(root, DISK) == ["the mounted file system /home"]


@pytest.mark.parametrize("source", ["/dev/sda2", "/dev/mapper/home", "/dev/root"])
def test_a_file_system_with_an_anonymous_number(root: Path, source: str) -> None:
    # A character device that every machine has stands in for a node that sysfs has no name for.
    grow(root, {"dev/root": Link("/dev/null")})
    mount(root, f"25 1 0:31 /@ / rw shared:1 master:2 - btrfs {source} rw,subvol=/@\n")
    assert on(root, DISK) == ["the mounted file system /"]


@pytest.mark.parametrize(
    "line",
    ["25 1 0:40 / /tmp rw - tmpfs tmpfs rw\n", "25 1 9:9 / /x rw - ext4 /dev/absent rw\n",
     "25 1 0:41 / /n rw - nfs4 host:/dev/null rw\n", "25 1 0:42 / /o rw - overlay overlay rw\n"],
)  # fmt: skip
def test_mounts_that_stand_on_no_disk_of_this_tree(root: Path, line: str) -> None:
    mount(root, line)
    assert on(root, DISK) == []


def test_a_disk_that_could_have_several_paths(root: Path) -> None:
    subsystem = "sys/devices/virtual/nvme-subsystem/nvme-subsys0"
    files: dict[str, Contents] = {
        f"{DISK}/nvme/nvme0/address": "0000:03:00.0\n",
        f"{subsystem}/nvme0": Link(f"{DISK}/nvme/nvme0"),
        f"{subsystem}/nvme0n1/dev": "259:0\n",
        "sys/dev/block/259:0": Link(f"{subsystem}/nvme0n1"),
    }
    grow(root, files)
    mount(root, "25 1 259:0 / / rw - ext4 /dev/nvme0n1 rw\n")
    assert on(root, DISK) == ["the mounted file system /"]
    assert on(root, NIC) == []


def test_swap(root: Path) -> None:
    (root / "proc/swaps").write_text("Filename Type Size\n/dev/sda2 partition 1 0 -2\n")
    assert on(root, DISK) == ["swap on /dev/sda2"]


def route(
    root: Path, interface: str, destination: str = "00000000", mask: str = "00000000"
) -> None:
    line = f"{interface}\t{destination}\t0102A8C0\t0003\t0\t0\t100\t{mask}\t0\t0\t0\n"
    (root / "proc/net/route").write_text(ROUTES + line)


def test_the_default_route(root: Path) -> None:
    route(root, "eth0")
    assert on(root, NIC) == ["the default route (eth0)"]
    assert on(root, DISK) == []


def test_the_default_route_through_a_bridge(root: Path) -> None:
    route(root, "br0")
    assert on(root, NIC) == ["the default route (br0)"]


def test_another_route_is_no_reason(root: Path) -> None:
    route(root, "eth0", "0002A8C0", "00FFFFFF")
    assert on(root, NIC) == []


def test_a_default_route_of_version_6(root: Path) -> None:
    zeros, hop = "0" * 32, "fe80" + "0" * 27 + "1"
    rest = "00000400 00000001 00000000 00000003"
    lines = (
        f"{zeros} 00 {zeros} 00 {hop} {rest} eth0\n"
        f"{zeros} 00 {zeros} 00 {zeros} ffffffff 00000001 00000000 00200200 lo\n"
    )
    (root / "proc/net/ipv6_route").write_text(lines)
    assert on(root, NIC) == ["the default route (eth0)"]


def test_a_machine_without_any_of_it(tmp_path: Path) -> None:
    assert on(tmp_path, DISK) == []
