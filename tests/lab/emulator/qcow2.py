"""Writes empty qcow2 overlays; qemu-img is not needed for that, so it is not asked for."""

from __future__ import annotations

import struct
from pathlib import Path

_CLUSTER = 1 << 16
_L1_ENTRY_COVERS = _CLUSTER * (_CLUSTER // 8)
_HEADER = struct.Struct(">4sIQIIQIIQQIIQQQQII")
_BACKING_FORMAT = 0xE2792ACA


def virtual_size(disk: Path, disk_format: str) -> int:
    """What a guest sees of this disk, in bytes."""
    if disk_format == "raw":
        return disk.stat().st_size
    with disk.open("rb") as image:
        return int(_HEADER.unpack(image.read(_HEADER.size))[5])


def create_overlay(path: Path, backing: Path, backing_format: str) -> None:
    """An overlay without any data of its own: header, refcounts, empty first-level table."""
    size = virtual_size(backing, backing_format)
    entries = -(-size // _L1_ENTRY_COVERS)
    refcount_table = struct.pack(">Q", 2 * _CLUSTER).ljust(_CLUSTER, b"\0")
    refcounts = (b"\0\1" * 4).ljust(_CLUSTER, b"\0")
    first_level = bytes(_CLUSTER)
    header = _header(size, entries, str(backing.resolve()), backing_format)
    path.write_bytes(header + refcount_table + refcounts + first_level)


def _header(size: int, entries: int, backing: str, backing_format: str) -> bytes:
    """The first cluster; clusters 1, 2 and 3 hold refcount table, refcounts and L1 table."""
    kind = backing_format.encode()
    padded = kind.ljust(-(-len(kind) // 8) * 8, b"\0")
    extensions = struct.pack(">II", _BACKING_FORMAT, len(kind)) + padded + bytes(8)
    name = backing.encode()
    fixed = _HEADER.pack(
        b"QFI\xfb",
        3,
        _HEADER.size + len(extensions),
        len(name),
        16,
        size,
        0,
        entries,
        3 * _CLUSTER,
        _CLUSTER,
        1,
        0,
        0,
        0,
        0,
        0,
        4,
        _HEADER.size,
    )
    return (fixed + extensions + name).ljust(_CLUSTER, b"\0")
