"""Who has which device node open, read from /proc/PID/fd (proc(5); needs CAP_SYS_PTRACE)."""

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from vfiod import sysfs
from vfiod.errors import HostError
from vfiod.model import Holder, PciAddress

# Subsystems whose open nodes make a driver's remove() wait, or keep its module in use.
HELD_SUBSYSTEMS = frozenset({"drm", "drm_dp_aux_dev", "graphics", "sound", "i2c-dev"})


class LinuxProcesses:
    """Implements vfiod.host.Processes on /proc and /sys."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._proc = root / "proc"
        self._sys = root / "sys"

    def holders(self, addresses: Collection[PciAddress]) -> Sequence[Holder]:
        nodes = {node for address in addresses for node in self._nodes(address)}
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

    def _nodes(self, address: PciAddress) -> Iterator[str]:
        """Device nodes below a function, and those its driver makes without a parent."""
        device = self._sys / "bus/pci/devices" / str(address)
        driver = sysfs.read_link(device / "driver")
        if driver == "nvidia":
            yield from (f"/dev/{n}" for n in sysfs.names(Path("/dev")) if n.startswith("nvidia"))
        elif driver == "amdgpu":
            yield "/dev/kfd"
        for path, children, files in os.walk(device):
            # Functions behind a bridge or a USB hub are devices of their own.
            children[:] = [c for c in children if not (c.startswith("usb") or ":" in c)]
            if "dev" in files and self._is_held(Path(path)):
                yield from self._node(Path(path))

    def _is_held(self, device: Path) -> bool:
        return sysfs.read_link(device / "subsystem") in HELD_SUBSYSTEMS

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


def _links_to(node: str) -> Sequence[str]:
    """libvirt gives QEMU a /dev of its own; once that is gone, links into it begin below it."""
    return (node, node.removeprefix("/dev"))


def _open_files(process: str) -> set[str]:
    """What the links of its first thread say, or if that has ended, those of the others.

    A process whose thread waits in the kernel has files open even though it was killed.
    """
    found = _links(process)
    if not found:
        for thread in os.listdir(f"{process}/task"):
            found |= _links(f"{process}/task/{thread}")
    return found


def _links(task: str) -> set[str]:
    found = set()
    directory = f"{task}/fd"
    for name in os.listdir(directory):
        with suppress(OSError):
            found.add(os.readlink(f"{directory}/{name}"))
    return found


def _unit(cgroup: str) -> str:
    """The system's unit of a control group path: user@1000.service for all that is below it."""
    for line in cgroup.splitlines():
        if line.startswith("0::"):
            parts = line.removeprefix("0::").split("/")
            units = [part for part in parts if part.endswith((".service", ".scope"))]
            return units[0] if units else ""
    return ""
