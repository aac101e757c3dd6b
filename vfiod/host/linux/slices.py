"""CPUs of systemd's units: AllowedCPUs= over D-Bus (systemd.resource-control(5)).

On the bus a set of CPUs is a bit mask in bytes, CPU 0 the lowest bit of the first. The property
replaces the old set, and an empty mask clears it (systemd: src/core/dbus-cgroup.c).
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from vfiod.bus.calls import variant
from vfiod.bus.connection import Bus
from vfiod.bus.errors import BusError
from vfiod.errors import HostError
from vfiod.host.linux.jobs import MANAGER, PATH, SERVICE
from vfiod.util import cpulist, sysfs

_UNTIL_REBOOT = True


class LinuxSlices:
    """Implements vfiod.host.performance.Slices."""

    def __init__(self, bus: Bus, root: Path = Path("/")) -> None:
        self._bus = bus
        self._controllers = root / "sys/fs/cgroup/cgroup.controllers"
        self._possible = root / "sys/devices/system/cpu/possible"

    def can_limit(self) -> bool:
        return "cpuset" in (sysfs.read(self._controllers) or "").split()

    def allowed_cpus(self, unit: str) -> frozenset[int]:
        return self._cpus(unit, "AllowedCPUs")

    def effective(self, unit: str) -> frozenset[int]:
        return self._cpus(unit, "EffectiveCPUs")

    def set_allowed_cpus(self, unit: str, cpus: AbstractSet[int]) -> None:
        if not cpus:
            # Clearing the property lifts nothing by itself: the kernel keeps a populated cpuset's
            # CPUs rather than have none (ENOSPC, kernel/cgroup/cpuset.c; systemd issue 43846).
            self._set(unit, cpulist.parse(sysfs.read(self._possible) or ""))
        self._set(unit, cpus)

    def _set(self, unit: str, cpus: AbstractSet[int]) -> None:
        change = [("AllowedCPUs", variant("ay", _to_mask(cpus)))]
        try:
            self._bus.call(
                SERVICE, PATH, f"{MANAGER}.SetUnitProperties", "sba(sv)",
                unit, _UNTIL_REBOOT, change,
            )  # fmt: skip
        except BusError as error:
            raise HostError(f"systemd will not limit {unit}: {error.message}") from error

    def _cpus(self, unit: str, name: str) -> frozenset[int]:
        path = self._bus.call(SERVICE, PATH, f"{MANAGER}.LoadUnit", "s", unit)[0]
        kind = unit.rsplit(".", 1)[-1].capitalize()
        return _from_mask(self._bus.get(SERVICE, path, f"{SERVICE}.{kind}.{name}"))


def _to_mask(cpus: AbstractSet[int]) -> list[int]:
    mask = sum(1 << cpu for cpu in cpus)
    return list(mask.to_bytes((mask.bit_length() + 7) // 8, "little"))


def _from_mask(mask: Sequence[int]) -> frozenset[int]:
    return frozenset(
        8 * n + bit for n, byte in enumerate(mask) for bit in range(8) if byte >> bit & 1
    )
