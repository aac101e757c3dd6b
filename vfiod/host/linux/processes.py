"""Who has which device node open, read from /proc/PID/fd (proc(5); needs CAP_SYS_PTRACE)."""

import os
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from vfiod.errors import HostError
from vfiod.model import Holder, PciAddress
from vfiod.util import sysfs

# Subsystems whose open nodes make a driver's remove() wait, or keep its module in use.
HELD_SUBSYSTEMS = frozenset({"drm", "drm_dp_aux_dev", "graphics", "sound", "i2c-dev"})
# They open a guest's devices for its QEMU, to hand them over (libvirt: viriommufd.c, virpci.c).
LIBVIRT = frozenset({"libvirtd", "virtqemud"})
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
        nodes = {node for group in groups for node in self._vfio_nodes(group)}
        return [h for h in self._having_open(nodes) if h.command not in LIBVIRT] if nodes else []

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
            names = sysfs.names(self._root / "dev")
            yield from (f"/dev/{name}" for name in names if name.startswith("nvidia"))
        if "amdgpu" in drivers:
            yield "/dev/kfd"

    def _vfio_nodes(self, group: int) -> Iterator[str]:
        """The group's own node, and those that its devices have for iommufd (kernel: vfio.rst)."""
        yield f"/dev/vfio/{group}"
        devices = self._sys / "kernel/iommu_groups" / str(group) / "devices"
        for address in sysfs.names(devices):
            for name in sysfs.names(devices / address / "vfio-dev"):
                yield f"/dev/vfio/devices/{name}"

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
        """One Holder a process and node, by the device's number: a container has names of its own.

        A process may end while it is looked at.
        """
        wanted = {n: node for node in nodes if (n := self._number(node)) is not None}
        is_likely = _likeness(nodes)
        for entry in os.scandir(self._proc) if wanted else ():
            if not entry.name.isdecimal():
                continue
            with suppress(OSError):
                found = wanted.keys() & _open_devices(entry.path, is_likely)
                for node in sorted(wanted[number] for number in found):
                    yield self._holder(int(entry.name), node)

    def _number(self, node: str) -> int | None:
        """None if there is no such device now: nobody can have it open."""
        try:
            status = os.stat(self._root / node.lstrip("/"))
        except OSError:
            return None
        return status.st_rdev if stat.S_ISCHR(status.st_mode) else None

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


def _likeness(nodes: Collection[str]) -> Callable[[str], bool]:
    """Whether a link of /proc/PID/fd may be to one of the nodes: as to card0 is dri/card7.

    Only such files are asked for their number: to ask a file on a network that is down may never
    end. Links lead into QEMU's own /dev, or begin below it once that is gone.
    """
    kinds = {_kind(node) for node in nodes}
    kinds |= {(folder.removeprefix("dev"), stem) for folder, stem in kinds if folder == "dev"}
    return lambda link: _kind(link.removesuffix(" (deleted)")) in kinds


def _kind(path: str) -> tuple[str, str]:
    """The name of the folder, and that of the file without its number."""
    folder, name = os.path.split(path)
    return os.path.basename(folder), name.rstrip("0123456789")


def _open_devices(process: str, is_likely: Callable[[str], bool]) -> set[int]:
    """Numbers of the devices that its first thread has open, or if that has ended, the others.

    A process whose thread waits in the kernel has files open even though it was killed.
    """
    found = _numbers(process, is_likely)
    if found is None and os.stat(f"{process}/task").st_nlink != _ONE_THREAD:
        others = [f"{process}/task/{thread}" for thread in os.listdir(f"{process}/task")]
        return set[int]().union(*(_numbers(task, is_likely) or () for task in others))
    return found or set()


def _numbers(task: str, is_likely: Callable[[str], bool]) -> set[int] | None:
    """None if it has no files at all."""
    found = set()
    # From the directory itself: a path from the root for each file takes twice the time.
    directory = os.open(f"{task}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        names = os.listdir(directory)
        for name in names:
            with suppress(OSError):
                if is_likely(os.readlink(name, dir_fd=directory)):
                    found.add(os.stat(name, dir_fd=directory).st_rdev)
    finally:
        os.close(directory)
    return found if names else None


def _unit(cgroup: str) -> str:
    """The system's unit of a control group path: user@1000.service for all that is below it."""
    for line in cgroup.splitlines():
        if line.startswith("0::"):
            parts = line.removeprefix("0::").split("/")
            units = [part for part in parts if part.endswith((".service", ".scope"))]
            return units[0] if units else ""
    return ""
