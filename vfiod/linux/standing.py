"""What of the running host stands on a device: mounted file systems, swap, the default route."""

import os
from collections.abc import Iterator
from pathlib import Path

from vfiod.linux import sysfs


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
        """/proc/net/route: interface, destination and mask come first (kernel: fib_trie.c)."""
        for line in (sysfs.read(self._proc / "net/route") or "").splitlines()[1:]:
            fields = line.split()
            if fields[1] == "00000000" and fields[7] == "00000000":
                text = f"the default route ({fields[0]})"
                yield text, (self._sys / "class/net" / fields[0]).resolve()


def _device_number(source: str) -> str | None:
    if not source.startswith("/dev/"):
        return None
    try:
        number = os.stat(source).st_rdev
    except OSError:
        return None
    return f"{os.major(number)}:{os.minor(number)}" if number else None
