"""FakeHost: all doors over one model of a PC; implements vfiod.host.door.Host."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from tests.fakes import performance
from tests.fakes.clock import Clock
from tests.fakes.commands import FakeCommands
from tests.fakes.doors import (
    Door,
    FakeContainers,
    FakeGate,
    FakeGuests,
    FakeInputs,
    FakeLate,
    FakeLogins,
    FakeModules,
    FakePci,
    FakePower,
    FakeProcesses,
    FakeScreen,
    FakeUnits,
)
from tests.fakes.fault import Effects
from tests.fakes.goodbyes import FakeGoodbyes
from tests.fakes.kernel import Kernel
from tests.fakes.libvirt import UUID, Libvirt
from tests.fakes.performance import FakeCpus, FakeHugePages, FakeSlices
from tests.fakes.users import FakeUsers
from tests.fakes.userspace import Process, Program, Userspace
from vfiod.errors import HostError
from vfiod.host.door import Host
from vfiod.model import VFIO_DRIVER, Mount, PciAddress

STAGE = "/usr/share/vgabios/vfiod"


class FakeFiles(Door):
    """Implements vfiod.host.door.Files."""

    def __init__(self, kernel: Kernel, user: Userspace, effects: Effects) -> None:
        super().__init__(kernel, user, effects)
        self.roms: dict[str, bytes] = {}
        self.staged: dict[PciAddress, bytes] = {}
        self.theirs: dict[PciAddress, bytes] = {}  # what somebody keeps in the same folder
        self.readable_in_place: set[str] = set()
        self.absent: set[str] = set()
        self.mounted = [Mount("/", "ext4"), Mount("/home", "btrfs")]

    def read_rom(self, path: str) -> bytes:
        for address, data in self.theirs.items():
            if path == self.staged_path(address):
                return data
        if path not in self.roms:
            raise HostError(f"cannot read {path}: No such file or directory")
        return self.roms[path]

    def staged_path(self, address: PciAddress) -> str:
        return f"{STAGE}/{address}.rom"

    def qemu_may_read(self, path: str) -> bool:
        return path in self.readable_in_place

    def stage_rom(self, address: PciAddress, data: bytes) -> None:
        def do() -> None:
            if address not in self.theirs:
                self.staged[address] = data
            elif self.theirs[address] != data:
                raise HostError(f"{self.staged_path(address)} was not written by vfiod")

        self._effects.take(f"stage {address}", do)

    def staged_roms(self) -> Sequence[PciAddress]:
        return sorted(self.staged)

    def unstage_rom(self, address: PciAddress) -> None:
        def do() -> None:
            self.staged.pop(address, None)

        self._effects.take(f"unstage {address}", do)

    def missing(self, paths: Collection[str], *, seconds: float) -> Mapping[str, str]:
        return {path: "does not exist" for path in paths if path in self.absent}

    def mounts(self, paths: Collection[str]) -> Mapping[str, Mount]:
        return {path: [m for m in self.mounted if m.holds(path)][-1] for path in paths}


class FakeMemory(Door):
    """Implements vfiod.host.door.Memory."""

    def __init__(self, kernel: Kernel, user: Userspace, effects: Effects) -> None:
        super().__init__(kernel, user, effects)
        self.free = 16 * 2**30

    def available(self) -> int:
        return self.free

    def held_by(self, units: Collection[str]) -> int:
        found = {u.ident: u for name in units if (u := self._user.find(name))}
        return sum(unit.memory for unit in found.values())


class FakeHost:
    """A PC that behaves as a kernel, a systemd and a logind would."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.effects = Effects(self.clock)
        self.kernel = Kernel(self.clock)
        self.user = Userspace(self.clock, self.kernel)
        behind = (self.kernel, self.user, self.effects)
        self.pci, self.processes = FakePci(*behind), FakeProcesses(*behind)
        self.gate, self.containers = FakeGate(*behind), FakeContainers(*behind)
        self.modules, self.units = FakeModules(*behind), FakeUnits(*behind, self.clock)
        self.logins, self.screen = FakeLogins(*behind), FakeScreen(*behind)
        self.inputs = FakeInputs(*behind)
        self.goodbyes = FakeGoodbyes(*behind, self.clock)
        self.files, self.memory = FakeFiles(*behind), FakeMemory(*behind)
        self.users = FakeUsers(*behind, self.clock)
        self.libvirt = Libvirt(self.clock, self.kernel)
        self.user.on_end = self.libvirt.qemu_ended
        self.libvirt.kill = self.user.kill
        self.late = FakeLate(*behind)
        self.power, self.guests = FakePower(*behind), FakeGuests(*behind, self.libvirt)
        self.commands = FakeCommands(self)
        self.slices, self.cpus = FakeSlices(*behind), FakeCpus(*behind)
        self.hugepages = FakeHugePages(*behind)
        # The configuration and the guest that fit this PC, if they are not the usual ones.
        self.configuration: str | None = None
        self.guest: str | None = None
        self.effects.on_death = self._close_descriptors

    def wait(self, condition: Callable[[], bool], *, seconds: float) -> bool:
        self.effects.require_alive()
        return self.clock.wait(condition, seconds=seconds)

    def run_parallel(self, tasks: Sequence[Callable[[], None]]) -> None:
        """One after the other, so that effects can be counted, and not in the order one would
        expect, as any must do. A failure stops no other task.
        """
        errors = []
        for task in reversed(tasks):
            try:
                task()
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def now(self) -> float:
        return self.clock.time

    def _close_descriptors(self) -> None:
        """The kernel closes what a killed daemon had open: the inhibitor, the gate."""
        self.user.inhibited = ""
        self.user.closed = set()

    # What tests do to it and ask of it.

    def start_guest(
        self,
        addresses: Iterable[PciAddress],
        command: str = "qemu",
        *,
        uuid: str = UUID,
        iommufd: bool = False,
    ) -> Process:
        """QEMU opens the groups of the devices, or the devices, as the kernel allows."""
        addresses = tuple(addresses)
        groups = {self.kernel.device(a).function.group for a in addresses}
        for group in groups:
            assert group is not None
            assert self.kernel.group_is_viable(group), f"group {group} is not viable"
            assert not self.kernel.group_is_open(group), "group is open already"
        for address in addresses:
            assert self.kernel.device(address).driver == VFIO_DRIVER, f"{address} not on vfio-pci"
        nodes = [f"/dev/vfio/{group}" for group in groups]
        if iommufd:
            nodes = ["/dev/iommu", *(self.kernel.device(a).vfio_node for a in addresses)]
        process = self.user.spawn(Program(command, uid=64055), "", nodes)
        self.libvirt.began(uuid, process.pid, addresses)
        return process

    def settle(self) -> None:
        """Let everything happen that is under way."""
        self.clock.advance(120)

    def snapshot(self) -> dict[str, Any]:
        """All that must be as before. Sessions end for good; vfio_pci stays loaded, idle."""
        kernel, user = self.kernel, self.user
        units = {u.ident: u.active for u in user.units.values() if not u.mortal}
        running = [(p.unit, p.program.command) for p in user.processes.values() if p.unit in units]
        return {
            "devices": {
                str(a): (d.driver, d.override, d.power, len(d.nodes), d.wiped)
                for a, d in sorted(kernel.devices.items())
            },
            "modules": sorted(kernel.loaded_modules() - {"vfio_pci"}),
            "console": kernel.fbcon,
            "framebuffers": list(kernel.framebuffers),
            "units": units,
            "processes": sorted(running),
            "inhibited": user.inhibited,
            "closed": sorted(user.closed),
            "staged": sorted(self.files.staged),
            "theirs": dict(self.files.theirs),
            "remembered": dict(self.users.written),
            **performance.snapshot(self.slices, self.cpus, self.hugepages),
        }


def _keeps_the_protocol(host: FakeHost) -> Host:
    """mypy proves here that the model has every door."""
    return host
