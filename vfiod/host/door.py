"""Host: the one narrow door to the machine, which vfiod.host.linux and the tests' FakeHost keep.

The core knows nothing else of a machine. Every method reads afresh, does one thing, and raises
HostError (or a class of it) when the host refuses; a HostError is a message for a person. Times are
seconds. A door belongs to whoever puts the program together (the daemon's main, the commands that
need no daemon) and lives as long as the program; it remembers nothing of a handoff.

Methods may be called by several threads at once, for different devices. Only wait() and
run_parallel() take time on purpose, and both end: by a deadline, or with the last of the tasks.

What must never happen: a decision behind the door (whether a thing should be done is for those
before it); an exception of another kind for what a machine can do; an effect without a way to read
whether it took place. What each method promises is written as rules in tests/contract, which the
model and Linux have to pass alike: a new method is a new rule there.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from vfiod.host.commands import Commands
from vfiod.host.goodbye import Goodbyes
from vfiod.host.pci import Pci
from vfiod.host.performance import Cpus, HugePages, Slices
from vfiod.host.processes import Containers, Gate, Late, Processes
from vfiod.host.systemd import Logins, Units
from vfiod.host.users import Users
from vfiod.model import (
    Console,
    FirmwareFramebuffer,
    Mount,
    PciAddress,
)


class Modules(Protocol):
    """Kernel modules (kmod). A change that does not end in time raises KernelStuck."""

    def loaded(self, name: str) -> bool:
        """True if the module is loaded or built in."""

    def available(self, name: str) -> bool:
        """True if it is loaded, built in, or can be loaded."""

    def removed(self) -> bool:
        """True if the running kernel's are on the disk no more: none can be loaded or unloaded."""

    def load(self, name: str, *, seconds: float) -> None:
        """modprobe."""

    def load_for(self, address: PciAddress, *, seconds: float) -> None:
        """modprobe of what matches a function, by its modalias."""

    def unload(self, name: str, *, seconds: float) -> None:
        """modprobe -r. Raises HostError while it is in use."""

    def users(self, name: str) -> Sequence[str]:
        """Loaded modules that keep it in use (kernel: /sys/module/NAME/holders)."""

    def of_driver(self, driver: str) -> str | None:
        """The module of a PCI driver; None if it is built in or not loaded."""


class Screen(Protocol):
    """Text consoles and the firmware's framebuffer."""

    def consoles(self) -> Sequence[Console]:
        """Those of a framebuffer: no other console keeps a graphics card busy (kernel:
        Documentation/driver-api/console.rst).

        Raises KernelStuck while the kernel is busy with one of them.
        """

    def bind_console(self, ident: str, *, bound: bool) -> None:
        """Bind or unbind a vtconsole driver. The kernel reports success either way.

        Raises KernelStuck while an earlier call for it hangs, be it as wanted already.
        """

    def framebuffers(self) -> Sequence[FirmwareFramebuffer]:
        """Firmware framebuffers with a driver."""

    def bind_framebuffer(self, framebuffer: FirmwareFramebuffer, *, bound: bool) -> None:
        """Bind or unbind one; one that is gone for good, or bound already, is no error.

        Raises KernelStuck while an earlier call for it is under way, be it as wanted already.
        """


class Inputs(Protocol):
    """Keyboards, and what else has keys."""

    def keyboards(self, keys: Collection[str], paths: Collection[str]) -> Mapping[str, bool]:
        """The nodes of those that have all of these keys, by their names in evdev; without keys
        none. True for each to which one of the paths leads.
        """


class Files(Protocol):
    """The few files vfiod reads and the one kind it writes: staged ROMs."""

    def read_rom(self, path: str) -> bytes:
        """Read a ROM file, bounded in size. Raises HostError if it cannot be read."""

    def staged_path(self, address: PciAddress) -> str:
        """Where the ROM of a function is put so that QEMU may read it."""

    def qemu_may_read(self, path: str) -> bool:
        """True if QEMU may read the file where it is, under AppArmor and as another user."""

    def stage_rom(self, address: PciAddress, data: bytes) -> None:
        """Put a ROM there, readable by all. A file there that is somebody's own is left alone.

        Raises HostError if that is another ROM.
        """

    def staged_roms(self) -> Sequence[PciAddress]:
        """Functions with a ROM there that vfiod has put there."""

    def unstage_rom(self, address: PciAddress) -> None:
        """Take it away if vfiod has put it there; absent is no error."""

    def missing(self, paths: Collection[str], *, seconds: float) -> Mapping[str, str]:
        """Those of the paths that are known not to exist, or do not answer within the time,
        each with which of the two, as the end of a sentence. It never takes longer.
        """

    def mounts(self, paths: Collection[str]) -> Mapping[str, Mount]:
        """The mounted file system that each path is on, as far as that is known."""


class Power(Protocol):
    """The host as a whole going to sleep, or down."""

    def sleep(self, *, seconds: float) -> None:
        """Suspend to RAM, woken up by the clock after this time. Returns when awake again."""

    def reboot(self) -> None:
        """Begin to reboot the host."""


class Guests(Protocol):
    """Ending the guest that has the devices, and libvirt's daemon. None of it waits: libvirt may
    be waiting for vfiod at that moment.
    """

    def end(self, *, seconds: float) -> None:
        """Begin to shut the guest down; it is forced off after this time, with 0 at once."""

    def is_shutting_down(self) -> bool:
        """True from such a beginning until the guest has ended."""

    def scope(self, name: str) -> str | None:
        """The unit in which systemd has the guest's QEMU, as libvirt named it; None if none runs.

        Raises HostError if systemd does not answer.
        """

    def qemu(self, uuid: str) -> int | None:
        """The process that libvirt has written down as the guest's QEMU; None if it has none."""

    def is_cleaned_up(self, uuid: str) -> bool:
        """True once libvirt has nothing left to do for the guest: its devices were re-attached.

        Also true of a guest that it has never started.
        """

    def wake_libvirt(self) -> None:
        """Begin to start libvirt's daemon if it does not run: it cleans up after a guest."""

    def libvirt_runs(self) -> bool:
        """True if a daemon of libvirt that has guests runs or is being started."""


class Memory(Protocol):
    """What a guest's memory can be had from, in bytes."""

    def available(self) -> int:
        """MemAvailable (proc(5))."""

    def held_by(self, units: Collection[str]) -> int:
        """What the control groups of these units hold now."""


class Host(Protocol):
    """All doors together, and the only ways to wait."""

    @property
    def pci(self) -> Pci: ...
    @property
    def processes(self) -> Processes: ...
    @property
    def late(self) -> Late: ...
    @property
    def gate(self) -> Gate: ...
    @property
    def modules(self) -> Modules: ...
    @property
    def units(self) -> Units: ...
    @property
    def containers(self) -> Containers: ...
    @property
    def logins(self) -> Logins: ...
    @property
    def goodbyes(self) -> Goodbyes: ...
    @property
    def screen(self) -> Screen: ...
    @property
    def inputs(self) -> Inputs: ...
    @property
    def files(self) -> Files: ...
    @property
    def memory(self) -> Memory: ...
    @property
    def power(self) -> Power: ...
    @property
    def guests(self) -> Guests: ...
    @property
    def commands(self) -> Commands: ...
    @property
    def users(self) -> Users: ...
    @property
    def slices(self) -> Slices: ...
    @property
    def cpus(self) -> Cpus: ...
    @property
    def hugepages(self) -> HugePages: ...

    def wait(self, condition: Callable[[], bool], *, seconds: float) -> bool:
        """Wait until the condition holds; False if it did not within the time."""

    def run_parallel(self, tasks: Sequence[Callable[[], None]]) -> None:
        """Do the tasks side by side and wait for all; then raise what the first one raised."""

    def now(self) -> float:
        """Seconds since boot, suspended time included (CLOCK_BOOTTIME)."""
