"""What of the running host stands on a device: mounted file systems, swap, the default route."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from vfiod.host.facts import pools
from vfiod.host.facts.mounts import read_table
from vfiod.model import PciAddress
from vfiod.util import sysfs

Use = tuple[str, Path]


class HostUsage:
    """Looks from the mounts, swaps and routes down to the devices they hang on."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._sys = root / "sys"
        self._proc = root / "proc"

    def uses(self) -> list[Use]:
        """All that stands on a device, with the device it stands on."""
        return [*self._mounts(), *self._swaps(), *self._routes()]

    def _mounts(self) -> Iterator[Use]:
        for row in read_table(self._root):
            text = f"the mounted file system {sysfs.printable(row.point)}"
            # btrfs and overlays have an anonymous device number: then the source names the device.
            numbers = [row.number] if not row.number.startswith("0:") else []
            numbers += [n for s in pools.sources(row.source, row.kind) if (n := self._number(s))]
            numbers += pools.members(self._root, row.source, row.kind)
            yield from ((text, path) for n in dict.fromkeys(numbers) for path in self._disks(n))

    def _swaps(self) -> Iterator[Use]:
        for line in sysfs.lines(self._proc / "swaps")[1:]:
            source = line.partition(" ")[0].partition("\t")[0]
            yield from ((f"swap on {source}", p) for p in self._disks(self._number(source)))

    def _number(self, source: str) -> str | None:
        """Device number of a block device by its path; its name in sysfs is the surest way."""
        if not source.startswith("/dev/"):
            return None
        blocks = self._sys / "class/block"
        name = source.removeprefix("/dev/")
        if name.startswith("mapper/"):
            name = self._mapped(name.removeprefix("mapper/"))
        return sysfs.read(blocks / name / "dev") or _node_number(self._root / source.lstrip("/"))

    def _mapped(self, name: str) -> str:
        """The dm-N of a device-mapper name (kernel: Documentation/ABI/testing/sysfs-block-dm)."""
        blocks = self._sys / "class/block"
        names = (n for n in sysfs.names(blocks) if sysfs.read(blocks / n / "dm/name") == name)
        return next(names, f"mapper/{name}")

    def _disks(self, number: str | None) -> Iterator[Path]:
        """The disk of a block device number, and those below it (LVM, dm-crypt, RAID)."""
        if number is None:
            return
        path = self._sys / "dev/block" / number
        if not path.exists():
            return
        yield path.resolve()
        yield from _nvme_controllers(path.resolve().parent)
        for slave in sysfs.names(path / "slaves"):
            yield from self._disks(sysfs.read(path / "slaves" / slave / "dev"))

    def _routes(self) -> Iterator[Use]:
        for name in self._default_interfaces():
            text = f"the default route ({name})"
            yield from ((text, path) for path in self._interfaces(name))

    def _default_interfaces(self) -> set[str]:
        """Interface, destination and mask in /proc/net/route (kernel: fib_trie.c); destination,
        its length and last the interface in ipv6_route (kernel: net/ipv6/route.c).
        """
        four = sysfs.lines(self._proc / "net/route")[1:]
        six = sysfs.lines(self._proc / "net/ipv6_route")
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


def read_host_usage(
    addresses: Iterable[PciAddress], root: Path = Path("/")
) -> Mapping[PciAddress, list[str]]:  # fmt: skip
    """What stands on each PCI function; those that nothing needs are left out."""
    uses = HostUsage(root).uses()
    folder = root / "sys/bus/pci/devices"
    found = {address: below(folder / str(address), uses) for address in addresses}
    return {address: texts for address, texts in found.items() if texts}


def below(device: Path, uses: Iterable[Use]) -> list[str]:
    """Uses that would be lost with the sysfs ``device``, each in words."""
    place = device.resolve()
    return sorted({text for text, path in uses if place in (path, *path.parents)})


def _nvme_controllers(subsystem: Path) -> Iterator[Path]:
    """With native multipath a namespace hangs on a subsystem, which has links to its controllers
    (kernel: drivers/nvme/host/core.c, nvme_init_subsystem).
    """
    if subsystem.name.startswith("nvme-subsys"):
        for name in sysfs.names(subsystem):
            if (subsystem / name).is_symlink() and name.startswith("nvme"):
                yield (subsystem / name).resolve()


def _node_number(path: Path) -> str | None:
    try:
        number = path.stat().st_rdev
    except OSError:
        return None
    return f"{os.major(number)}:{os.minor(number)}" if number else None
