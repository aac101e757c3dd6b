"""Firmware for guests that QEMU's descriptors offer on this host.

Source: QEMU, docs/interop/firmware.json: one description for each file, a name in /etc takes the
place of the same name in /usr/share, and an empty file masks it.
"""

import json
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from vfiod.util import sysfs

SECURE_BOOT, ENROLLED_KEYS = "secure-boot", "enrolled-keys"
_PLACES = ("usr/share/qemu/firmware", "etc/qemu/firmware")  # the last one counts
_MACHINE = "pc-q35-1.0"  # any version: descriptors have patterns


def read_guest_firmware(root: Path = Path("/")) -> tuple[frozenset[str], ...]:
    """The features of each UEFI for x86_64 and q35; what cannot be read is left out.

    Empty also where libvirt has its descriptors elsewhere, as on NixOS.
    """
    return tuple(_features(found) for found in _descriptors(root) if _fits(found))


def _descriptors(root: Path) -> Iterator[dict[str, Any]]:
    files = {path.name: path for place in _PLACES for path in (root / place).glob("*.json")}
    for name in sorted(files):
        try:
            found = json.loads(sysfs.read(files[name]) or "null")
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found


def _fits(descriptor: dict[str, Any]) -> bool:
    try:
        return "uefi" in descriptor["interface-types"] and any(
            target["architecture"] == "x86_64"
            and any(fnmatch(_MACHINE, m) for m in target["machines"])
            for target in descriptor["targets"]
        )
    except (KeyError, TypeError):
        return False


def _features(descriptor: dict[str, Any]) -> frozenset[str]:
    features = descriptor.get("features")
    return frozenset(map(str, features if isinstance(features, list) else ()))
