"""What of the running host stands on a device: mounted file systems, swap, the default route."""

import os
from collections.abc import Iterator
from pathlib import Path

from vfiod import sysfs


class Standing:
    """Looks from the mounts, swaps and routes down to the devices they hang on."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._sys = root / "sys"
        self._proc = root / "proc"

    def on(self, device: Path) -> list[str]:
        """Things that would be lost with the sysfs ``device``, each in words."""
        place = device.resolve()
        found = {
            text
            for text, path in (*self._mounts(), *self._swaps(), *self._routes())
            if place in (path, *path.parents)
        }
        return sorted(found)

    def _mounts(self) -> Iterator[tuple[str, Path]]:
        for line in (sysfs.read(self._proc / "self/mountinfo") or "").splitlines():
            fields = line.split()
            source = fields[fields.index("-") + 2]
            text = f"the mounted file system {fields[4]}"
            # btrfs and overlays have an anonymous device number: then the source names the device.
            number = fields[2] if not fields[2].startswith("0:") else _device_number(source)
            yield from ((text, path) for path in self._disks(number))

    def _swaps(self) -> Iterator[tuple[str, Path]]:
        for line in (sysfs.read(self._proc / "swaps") or "").splitlines()[1:]:
            source = line.split()[0]
            yield from ((f"swap on {source}", p) for p in self._disks(_device_number(source)))

    def _disks(self, number: str | None) -> Iterator[Path]:
        """The disk of a block device number, and those below it (LVM, dm-crypt, RAID)."""
        if number is None:
            return
        path = self._sys / "dev/block" / number
        if not path.exists():
            return
        yield path.resolve()
        for slave in sysfs.names(path / "slaves"):
            yield from self._disks(sysfs.read(path / "slaves" / slave / "dev"))

    def _routes(self) -> Iterator[tuple[str, Path]]:
        for name in self._default_interfaces():
            text = f"the default route ({name})"
            yield from ((text, path) for path in self._interfaces(name))

    def _default_interfaces(self) -> set[str]:
        """Interface, destination and mask in /proc/net/route (kernel: fib_trie.c); destination,
        its length and last the interface in ipv6_route (kernel: net/ipv6/route.c).
        """
        four = (sysfs.read(self._proc / "net/route") or "").splitlines()[1:]
        six = (sysfs.read(self._proc / "net/ipv6_route") or "").splitlines()
        names = {f[0] for f in map(str.split, four) if f[1] == f[7] == "00000000"}
        names |= {f[9] for f in map(str.split, six) if f[0] == "0" * 32 and f[1] == "00"}
        return names - {"lo"}

    def _interfaces(self, name: str) -> Iterator[Path]:
        """An interface's device, and those below it (bridges, bonds, VLANs)."""
        path = self._sys / "class/net" / name
        yield path.resolve()
        for entry in sysfs.names(path):
            if entry.startswith("lower_"):
                yield from self._interfaces(entry.removeprefix("lower_"))


def _device_number(source: str) -> str | None:
    if not source.startswith("/dev/"):
        return None
    try:
        number = os.stat(source).st_rdev
    except OSError:
        return None
    return f"{os.major(number)}:{os.minor(number)}" if number else None
