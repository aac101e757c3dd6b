"""What a guest's memory can be had from: /proc/meminfo and control groups."""

from collections.abc import Collection
from pathlib import Path

from vfiod.host.linux.controlgroup import MOUNT, unified
from vfiod.util import sysfs


class LinuxMemory:
    """Implements vfiod.host.door.Memory."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._meminfo = root / "proc/meminfo"
        self._cgroups = root / MOUNT

    def available(self) -> int:
        return self._kilobytes("MemAvailable") * 1024

    def held_by(self, units: Collection[str]) -> int:
        """Sessions' scopes stand in user.slice/user-UID.slice, services in system.slice.

        Where v1 is beside v2 the memory is counted there (kernel: cgroup-v1/memory.rst).
        """
        counts = [(self._cgroups / "memory", "memory.usage_in_bytes")]
        if (root := unified(self._cgroups)) is not None:
            counts.append((root, "memory.current"))
        return sum(
            int(sysfs.read(path / name) or 0)
            for unit in units
            for pattern in (f"system.slice/{unit}", f"user.slice/user-*.slice/{unit}")
            for groups, name in counts
            for path in groups.glob(pattern)
        )

    def _kilobytes(self, name: str) -> int:
        for line in (sysfs.read(self._meminfo) or "").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
        return 0
