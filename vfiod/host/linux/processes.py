"""Who has which device node open, read from /proc (proc(5); needs CAP_SYS_PTRACE)."""

import os
import signal
import stat
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from vfiod.errors import HostError
from vfiod.events import Event, Kind, Report
from vfiod.host.linux import log
from vfiod.host.linux.controlgroup import guess_unit, path_of
from vfiod.host.linux.devicenodes import DeviceNodes
from vfiod.host.linux.looks import Looks, unseen
from vfiod.host.linux.opendevices import OpenDevices
from vfiod.host.linux.programs import programs_of
from vfiod.host.linux.statx import Number
from vfiod.model import Holder, PciAddress, Program
from vfiod.util import sysfs

# They open a guest's devices for its QEMU, to hand them over (libvirt: viriommufd.c, virpci.c).
LIBVIRT = frozenset({"libvirtd", "virtqemud"})
_MANY = 1000
# The unit of a process: empty if it has none, None if the process has ended.
Ask = Callable[[int], str | None]


class LinuxProcesses:
    """Implements vfiod.host.processes.Processes on /proc and /sys.

    ``ask`` says which unit owns a process; without it that is guessed, to be shown. ``report``
    is told of a process that cannot be looked at.
    """

    def __init__(
        self, root: Path = Path("/"), ask: Ask | None = None, report: Report = log.send
    ) -> None:
        self._root = root
        self._ask, self._report = ask, report
        self._looks = Looks(self._tell_silent)
        # By control group, which has one owner: systemd is busy just when this is asked often.
        self._owners: dict[str, str] = {}
        self._seen: dict[int, psutil.Process] = {}
        self._proc = root / "proc"
        self._nodes = DeviceNodes(root)

    def holders(
        self, addresses: Collection[PciAddress], among: Collection[int] | None = None
    ) -> Sequence[Holder]:
        return self._having_open(self._nodes.of(addresses), among)

    def vfio_holders(self, groups: Collection[int]) -> Sequence[Holder]:
        nodes = {node for group in groups for node in self._vfio_nodes(group)}
        numbers = {n: node for node in nodes if (n := self._number(node)) is not None}
        return [h for h in self._having_open(numbers) if h.command not in LIBVIRT]

    def programs(self, units: Collection[str]) -> Sequence[Program]:
        return programs_of(units, looks=self._looks)

    def parent(self, pid: int) -> int:
        with suppress(psutil.Error):
            return psutil.Process(pid).ppid()
        return 0

    def unit(self, pid: int) -> str:
        group = sysfs.read(self._proc / str(pid) / "cgroup")
        return "" if group is None else self._owner(pid, path_of(group))

    def signal(self, holder: Holder, number: int) -> None:
        """Not if the process that was seen has ended and another one has its number now."""
        process = self._seen.get(holder.pid)
        if process is None:
            return
        try:
            with _held(holder.pid) as descriptor:
                if process.is_running():
                    signal.pidfd_send_signal(descriptor, number)
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

    def _having_open(
        self, nodes: Mapping[Number, str], among: Collection[int] | None = None
    ) -> Sequence[Holder]:
        """One Holder a process and node."""
        if not nodes:
            return []
        pids = self._all() if among is None else among
        found = self._looks.at(pids, lambda silent: OpenDevices(self._proc, nodes, silent).held_by)
        return [holder for pid, node in found if (holder := self._named(pid, node))]

    def _all(self) -> Iterator[int]:
        try:
            return (int(name) for name in os.listdir(self._proc) if name.isdecimal())
        except OSError as error:
            raise unseen(error) from error

    def _tell_silent(self, pid: int) -> None:
        command = sysfs.printable(sysfs.read(self._proc / str(pid) / "comm") or "?")
        text = (
            f"what {command} (pid {pid}) has mapped cannot be seen, nor how it was called: the "
            "kernel does not answer, perhaps as it waits for a server that is away. Only the files "
            "that it has open count"
        )
        # A log that is away is no reason not to go on.
        with suppress(OSError):
            self._report(Event(Kind.REMARK, text))

    def _named(self, pid: int, node: str) -> Holder | None:
        """None if the process has ended since."""
        try:
            return self._holder(pid, node)
        except OSError:
            return None

    def _holder(self, pid: int, node: str) -> Holder:
        self.remember(pid)
        path = self._proc / str(pid)
        group = path_of(sysfs.read(path / "cgroup") or "")
        return Holder(
            pid=pid,
            command=sysfs.printable(sysfs.read(path / "comm") or "?"),
            node=node,
            unit=self._owner(pid, group),
            uid=path.stat().st_uid,
            group=sysfs.printable(group),
        )

    def remember(self, pid: int) -> None:
        """Which process this is, for the day when another one has its number."""
        known = self._seen.get(pid)
        if len(self._seen) > _MANY:
            self._seen.clear()
        with suppress(psutil.Error):
            if known is None or not known.is_running():
                self._seen[pid] = psutil.Process(pid)

    def _owner(self, pid: int, group: str) -> str:
        if self._ask is None:
            return guess_unit(group)
        if len(self._owners) > _MANY:
            self._owners.clear()
        try:
            if group not in self._owners and (owner := self._ask(pid)) is not None:
                self._owners[group] = owner
        except HostError:
            # Late, or away for a moment, as systemd is when it is executed anew. Who it is counts
            # more than whose it is: a return must not end for that.
            return guess_unit(group)
        return self._owners.get(group, "")


@contextmanager
def _held(pid: int) -> Iterator[int]:
    """A descriptor of the process that has this number now (pidfd_open(2)), or had it."""
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
