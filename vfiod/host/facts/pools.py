"""Which disks a file system of several is on: btrfs, bcachefs and ZFS name one of them, or none."""

from collections.abc import Iterator
from pathlib import Path

from vfiod.util import sysfs


def members(root: Path, source: str, kind: str) -> Iterator[str]:
    """Device numbers of all disks beside or instead of the one that mountinfo's source names.

    LVM and RAID need none of this: their devices have what they are made of below them.
    """
    if kind == "btrfs":
        yield from _btrfs(root, source.rpartition("/")[2])
    elif kind == "zfs":
        yield from _zfs(root, source.partition("/")[0])


def sources(source: str, kind: str) -> list[str]:
    """bcachefs lists its disks with colons between them."""
    return source.split(":") if kind == "bcachefs" else [source]


def _btrfs(root: Path, name: str) -> Iterator[str]:
    """/sys/fs/btrfs/UUID/devices has them all (kernel: fs/btrfs/sysfs.c)."""
    for pool in sysfs.names(root / "sys/fs/btrfs"):
        devices = root / "sys/fs/btrfs" / pool / "devices"
        found = sysfs.names(devices)
        if name in found:
            yield from (n for d in found if (n := sysfs.read(devices / d / "dev")) is not None)


def _zfs(root: Path, pool: str) -> Iterator[str]:
    """ZFS tells the kernel nothing of its disks; udev has read their labels (udevadm(8))."""
    folder = root / "run/udev/data"
    for name in sysfs.names(folder):
        lines = sysfs.lines(folder / name) if name.startswith("b") else []
        if "E:ID_FS_TYPE=zfs_member" in lines and f"E:ID_FS_LABEL={pool}" in lines:
            yield name.removeprefix("b")
