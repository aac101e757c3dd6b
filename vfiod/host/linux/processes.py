"""Who has which device node open, read from /proc/PID/fd (proc(5); needs CAP_SYS_PTRACE)."""

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from vfiod.errors import HostError
from vfiod.model import Holder, PciAddress
from vfiod.util import sysfs

# Subsystems whose open nodes make a driver's remove() wait, or keep its module in use.
HELD_SUBSYSTEMS = frozenset({"drm", "drm_dp_aux_dev", "graphics", "sound", "i2c-dev"})
# Links of /proc/PID/task: two, and one for each thread (kernel: fs/proc/base.c).
_ONE_THREAD = 3


class LinuxProcesses:
    """Implements vfiod.host.door.Processes on /proc and /sys."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._proc = root / "proc"
        self._sys = root / "sys"

    def holders(self, addresses: Collection[PciAddress]) -> Sequence[Holder]:
        nodes = {*self._parentless_nodes(addresses), *self._class_nodes(addresses)}
        return list(self._having_open(nodes)) if nodes else []

    def vfio_holders(self, groups: Collection[int]) -> Sequence[Holder]:
        # A node is there as long as a device of its group is with vfio-pci.
        nodes = {f"/dev/vfio/{group}" for group in groups}
        there = {node for node in nodes if (self._root / node.lstrip("/")).exists()}
        return list(self._having_open(there)) if there else []

    def signal(self, holder: Holder, number: int) -> None:
        try:
            os.kill(holder.pid, number)
        except ProcessLookupError:
            return
        except OSError as error:
            raise HostError(f"cannot signal {holder}: {error.strerror}") from error

    def _parentless_nodes(self, addresses: Collection[PciAddress]) -> Iterator[str]:
        """Those that drivers make without a parent."""
        devices = self._sys / "bus/pci/devices"
        drivers = {sysfs.read_link(devices / str(address) / "driver") for address in addresses}
        if "nvidia" in drivers:
            yield from (f"/dev/{n}" for n in sysfs.names(Path("/dev")) if n.startswith("nvidia"))
        if "amdgpu" in drivers:
            yield "/dev/kfd"

    def _class_nodes(self, addresses: Collection[PciAddress]) -> Iterator[str]:
        """Device nodes below the functions, by the links of their classes."""
        wanted = {str(address) for address in addresses}
        for subsystem in HELD_SUBSYSTEMS:
            folder = self._sys / "class" / subsystem
            for name in sysfs.names(folder):
                with suppress(OSError):
                    if _belongs_to(os.readlink(folder / name), wanted):
                        yield from self._node(folder / name)

    def _node(self, device: Path) -> Iterator[str]:
        for line in (sysfs.read(device / "uevent") or "").splitlines():
            if line.startswith("DEVNAME="):
                yield f"/dev/{line.removeprefix('DEVNAME=')}"

    def _having_open(self, nodes: Collection[str]) -> Iterator[Holder]:
        """One Holder a process and node. A process may end while it is looked at."""
        links = {link: node for node in nodes for link in _links_to(node)}
        for entry in os.scandir(self._proc):
            if not entry.name.isdecimal():
                continue
            with suppress(OSError):
                found = {links[link] for link in links.keys() & _open_files(entry.path)}
                for node in sorted(found):
                    yield self._holder(int(entry.name), node)

    def _holder(self, pid: int, node: str) -> Holder:
        path = self._proc / str(pid)
        return Holder(
            pid=pid,
            command=sysfs.read(path / "comm") or "?",
            node=node,
            unit=_unit(sysfs.read(path / "cgroup") or ""),
            uid=path.stat().st_uid,
        )


def _belongs_to(device: str, functions: Collection[str]) -> bool:
    """Whether a device's path leads through one of the functions to it, and no other device.

    What is behind a bridge or a USB hub are devices of their own.
    """
    for part in reversed(device.split("/")):
        if part in functions:
            return True
        if part.startswith("usb") or ":" in part:
            return False
    return False


def _links_to(node: str) -> Sequence[str]:
    """libvirt gives QEMU a /dev of its own; once that is gone, links into it begin below it."""
    return (node, node.removeprefix("/dev"))


def _open_files(process: str) -> set[str]:
    """What the links of its first thread say, or if that has ended, those of the others.

    A process whose thread waits in the kernel has files open even though it was killed.
    """
    found = _links(process)
    if not found and os.stat(f"{process}/task").st_nlink != _ONE_THREAD:
        for thread in os.listdir(f"{process}/task"):
            found |= _links(f"{process}/task/{thread}")
    return found


def _links(task: str) -> set[str]:
    found = set()
    # From the directory itself: a path from the root for each file takes twice the time.
    directory = os.open(f"{task}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in os.listdir(directory):
            with suppress(OSError):
                found.add(os.readlink(name, dir_fd=directory))
    finally:
        os.close(directory)
    return found


def _unit(cgroup: str) -> str:
    """The system's unit of a control group path: user@1000.service for all that is below it."""
    for line in cgroup.splitlines():
        if line.startswith("0::"):
            parts = line.removeprefix("0::").split("/")
            units = [part for part in parts if part.endswith((".service", ".scope"))]
            return units[0] if units else ""
    return ""
