"""Who has which device node open, read from /proc (proc(5); needs CAP_SYS_PTRACE)."""

import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from vfiod.errors import HostError
from vfiod.host.linux.devicenodes import DeviceNodes
from vfiod.host.linux.opendevices import OpenDevices
from vfiod.host.linux.statx import Number
from vfiod.model import Holder, PciAddress
from vfiod.util import sysfs

# They open a guest's devices for its QEMU, to hand them over (libvirt: viriommufd.c, virpci.c).
LIBVIRT = frozenset({"libvirtd", "virtqemud"})


class LinuxProcesses:
    """Implements vfiod.host.door.Processes on /proc and /sys."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._proc = root / "proc"
        self._nodes = DeviceNodes(root)

    def holders(self, addresses: Collection[PciAddress]) -> Sequence[Holder]:
        return self._having_open(self._nodes.of(addresses))

    def vfio_holders(self, groups: Collection[int]) -> Sequence[Holder]:
        nodes = {node for group in groups for node in self._vfio_nodes(group)}
        numbers = {n: node for node in nodes if (n := self._number(node)) is not None}
        return [h for h in self._having_open(numbers) if h.command not in LIBVIRT]

    def signal(self, holder: Holder, number: int) -> None:
        try:
            os.kill(holder.pid, number)
        except ProcessLookupError:
            return
        except OSError as error:
            raise HostError(f"cannot signal {holder}: {error.strerror}") from error

    def _vfio_nodes(self, group: int) -> Iterator[str]:
        """The group's own node, and those that its devices have for iommufd (kernel: vfio.rst)."""
        yield f"/dev/vfio/{group}"
        devices = self._root / "sys/kernel/iommu_groups" / str(group) / "devices"
        for address in sysfs.names(devices):
            for name in sysfs.names(devices / address / "vfio-dev"):
                yield f"/dev/vfio/devices/{name}"

    def _number(self, node: str) -> Number | None:
        """None if there is no such device now: nobody can have it open."""
        try:
            status = os.stat(self._root / node.lstrip("/"))
        except OSError:
            return None
        if not stat.S_ISCHR(status.st_mode):
            return None
        return os.major(status.st_rdev), os.minor(status.st_rdev)

    def _having_open(self, nodes: Mapping[Number, str]) -> Sequence[Holder]:
        """One Holder a process and node."""
        found = OpenDevices(self._proc, nodes).find() if nodes else ()
        return [holder for pid, node in found if (holder := self._named(pid, node))]

    def _named(self, pid: int, node: str) -> Holder | None:
        """None if the process has ended since."""
        try:
            return self._holder(pid, node)
        except OSError:
            return None

    def _holder(self, pid: int, node: str) -> Holder:
        path = self._proc / str(pid)
        return Holder(
            pid=pid,
            command=sysfs.printable(sysfs.read(path / "comm") or "?"),
            node=node,
            unit=_unit(sysfs.read(path / "cgroup") or ""),
            uid=path.stat().st_uid,
        )


def _unit(cgroup: str) -> str:
    """The system's unit of a control group path: user@1000.service for all that is below it."""
    for line in cgroup.splitlines():
        if line.startswith("0::"):
            parts = line.removeprefix("0::").split("/")
            units = [part for part in parts if part.endswith((".service", ".scope"))]
            return units[0] if units else ""
    return ""
