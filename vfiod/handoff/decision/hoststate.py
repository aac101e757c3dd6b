"""What a decision is made from: the host as it was read, at one moment, for one guest. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from vfiod.host.performance import FrequencyPolicy, HugePagePool
from vfiod.host.systemd import Inhibitor
from vfiod.model import (
    Console,
    DisplayOutput,
    FirmwareFramebuffer,
    Holder,
    Mount,
    PciAddress,
    PciFunction,
    Program,
    Session,
    Unit,
    UsbPlugged,
)

VFIO_MODULE = "vfio_pci"
# In the order in which they must be unloaded (NVIDIA/open-gpu-kernel-modules, issue 1119).
NVIDIA_MODULES = ("nvidia_drm", "nvidia_modeset", "nvidia_uvm", "nvidia")


@dataclass(frozen=True, slots=True)
class RomFile:
    """A configured ROM: its bytes, or why it cannot be read. ``staged`` is where QEMU reads it."""

    path: str
    staged: str
    data: bytes = b""
    fault: str = ""
    readable_in_place: bool = False


@dataclass(frozen=True, slots=True)
class MemoryState:
    """What the guest may use of each kind, in bytes; ``desktop`` comes free when it ends.

    ``pool`` is None if the guest wants no huge pages, or such as the kernel does not have;
    ``mounted`` are the sizes of page that libvirt finds a file system for, if it wants any.
    """

    available: int
    desktop: int
    pool: HugePagePool | None = None
    mounted: frozenset[int] = frozenset()

    @property
    def hugepages(self) -> int:
        """Bytes in huge pages that are free."""
        return self.pool.free_bytes if self.pool else 0


@dataclass(frozen=True, slots=True)
class HostState:
    """The host as it is now, as far as one guest's handoff is concerned."""

    functions: Mapping[PciAddress, PciFunction]
    display_manager: Unit
    vfio_available: bool
    memory: MemoryState
    holders: Sequence[Holder] = ()
    vfio_holders: Sequence[Holder] = ()
    sessions: Sequence[Session] = ()
    consoles: Sequence[Console] = ()
    framebuffers: Sequence[FirmwareFramebuffer] = ()
    nvidia_modules: Sequence[str] = ()
    unknown_modules: Sequence[str] = ()  # that keep one of NVIDIA's in use
    modules_removed: bool = False  # from the disk, while their kernel still runs
    outputs: Mapping[PciAddress, DisplayOutput] = field(default_factory=dict)
    # Displays that stay, with a driver of the host and a screen: a desktop may be there.
    lit: frozenset[PciAddress] = frozenset()
    # Processes that have such a one's card node open, as display servers have.
    drawing: frozenset[int] = frozenset()
    in_use_by: Mapping[PciAddress, Sequence[str]] = field(default_factory=dict)
    roms: Mapping[PciAddress, RomFile] = field(default_factory=dict)
    lingering: frozenset[int] = frozenset()
    spared: frozenset[str] = frozenset()
    can_close_gate: bool = False
    # What people run; the service that began a session, by its ident, and the one with a device in
    # whose terminal a session is; names of users without a session.
    programs: Sequence[Program] = ()
    spawners: Mapping[str, str] = field(default_factory=dict)
    terminals: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[int, str] = field(default_factory=dict)
    # Those that unfinished.is_vital(), each with its unit.
    inhibitors: Sequence[Inhibitor] = ()
    # Of what the guest opens: what is not there, with why, and the functions that nodes hang on.
    missing: Mapping[str, str] = field(default_factory=dict)
    behind: Mapping[str, Collection[PciAddress]] = field(default_factory=dict)
    mounts: Mapping[str, Mount] = field(default_factory=dict)
    homes: Mapping[int, str] = field(default_factory=dict)  # as far as homes.in_question()
    usb: Sequence[UsbPlugged] = ()
    # Input devices with all of escape_keys, and whether QEMU has each for itself; only for a guest
    # that has any so.
    keyboards: Mapping[str, bool] = field(default_factory=dict)
    # Only for a guest that draws on any: each with the functions that it hangs on.
    render_nodes: Mapping[str, Collection[PciAddress]] = field(default_factory=dict)
    shutting_down: bool = False
    refused_groups: frozenset[int] = frozenset()
    # Only for a guest with performance: in its configuration.
    online: frozenset[int] = frozenset()
    can_limit_cpus: bool = False
    frequencies: Sequence[FrequencyPolicy] = ()
    transparent_hugepages: str | None = None
