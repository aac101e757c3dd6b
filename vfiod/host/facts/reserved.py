"""Groups that the firmware wants mapped one to one, so that no guest may have them.

Such a mapping (Intel: RMRR, AMD: IVMD) keeps the firmware's own use of the device's memory working.
The kernel calls the region ``direct`` (Documentation/ABI/testing/sysfs-kernel-iommu_groups), or
``direct-relaxable`` where it may be given up, as for graphics and USB of Intel. Intel's driver has
long refused such devices; since 6.6 the kernel's IOMMU core refuses them for all ("Firmware has
requested this device have a 1:1 IOMMU mapping", drivers/iommu/iommu.c).
"""

import re
from pathlib import Path

from vfiod.util import sysfs

REFUSED_SINCE = (6, 6)


def read_refused_groups(root: Path = Path("/")) -> frozenset[int]:
    """Numbers of the groups that this kernel will not hand to vfio for that reason."""
    folder = root / "sys/kernel/iommu_groups"
    if not _refuses(root):
        return frozenset()
    numbers = [name for name in sysfs.names(folder) if name.isdigit()]
    return frozenset(int(n) for n in numbers if _is_direct(folder / n / "reserved_regions"))


def _is_direct(regions: Path) -> bool:
    """The third word of a line is the kind of the region."""
    lines = (sysfs.read(regions) or "").splitlines()
    return any(line.split()[2:] == ["direct"] for line in lines)


def _refuses(root: Path) -> bool:
    release = sysfs.read(root / "proc/sys/kernel/osrelease") or ""
    match = re.match(r"(\d+)\.(\d+)", release)
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    intel = any(name.startswith("dmar") for name in sysfs.names(root / "sys/class/iommu"))
    return intel or version >= REFUSED_SINCE
