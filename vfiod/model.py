"""Facts about the host as frozen values: what is there, never how it was read."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

VFIO_DRIVER = "vfio-pci"
# Drivers that leave a group's DMA to others (kernel: .driver_managed_dma, since 5.19).
SHARING_DRIVERS = frozenset({None, VFIO_DRIVER, "pci-stub", "pcieport"})
DISPLAY_CLASS = 0x03
AUDIO_CLASS = 0x0403
BRIDGE_CLASS = 0x06
USB_CLASS = 0x0C03
# How the name of a guest's entry among the login screen's sessions begins, and what it runs.
ENTRY = "vfiod"
STARTER = "vfiod session"
# What a program is given that waits for work without a window, as Xfce's file manager does from
# the login on.
SERVING = "--daemon"
# What D-Bus begins a program with. One that nobody needs ends itself after some seconds (GIO:
# g_application_set_inactivity_timeout); one that is there still has a window as a rule.
BEGUN_BY_BUS = "--gapplication-service"
SETTLED_SECONDS = 60.0

_ADDRESS = re.compile(
    r"(?:([0-9a-fA-F]{4,8}):)?([0-9a-fA-F]{2}):([01][0-9a-fA-F])\.([0-7])", re.ASCII
)


def only_serves(arguments: Collection[str], seconds: float) -> bool:
    """Whether a program has no window, by what it was given and how long it has run."""
    is_young = seconds < SETTLED_SECONDS
    return SERVING in arguments or (BEGUN_BY_BUS in arguments and is_young)


@dataclass(frozen=True, slots=True, order=True)
class PciAddress:
    """A PCI function's address, written as the kernel writes it: ``0000:01:00.0``."""

    domain: int
    bus: int
    slot: int
    function: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``0000:01:00.0`` or ``01:00.0``. Raises ValueError for anything else."""
        match = _ADDRESS.fullmatch(text)
        if match is None:
            raise ValueError(f"not a PCI address: {text!r} (one looks like 0000:01:00.0)")
        domain, bus, slot, function = match.groups()
        return cls(int(domain or "0", 16), int(bus, 16), int(slot, 16), int(function))

    def __str__(self) -> str:
        return f"{self.domain:04x}:{self.bus:02x}:{self.slot:02x}.{self.function}"

    @property
    def card(self) -> str:
        """The address without its function: what all functions of a slot share."""
        return str(self).rpartition(".")[0]

    def same_slot(self, other: "PciAddress") -> bool:
        """True if both are functions of one physical slot."""
        mine = (self.domain, self.bus, self.slot)
        return mine == (other.domain, other.bus, other.slot)


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system: where, and of which type (proc(5), mountinfo).

    ``served_by`` is, with FUSE, the user who mounted it (user_id= in Linux's filesystems/fuse.rst).
    """

    point: str
    kind: str
    served_by: int | None = None

    def holds(self, path: str) -> bool:
        """Whether a path is at or below it."""
        return path == self.point or path.startswith(f"{self.point.rstrip('/')}/")


@dataclass(frozen=True, slots=True)
class UsbPlugged:
    """A USB device of the host and the controller it hangs on; numbers as lsusb(8) shows them."""

    controller: PciAddress
    vendor: int
    product: int
    bus: int
    number: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class PciFunction:
    """One function of a PCI device, as /sys/bus/pci/devices shows it (ABI: sysfs-bus-pci).

    ``class_code`` is the 24-bit class; ``group`` the IOMMU group or None; ``physical`` is, for a
    virtual function (SR-IOV), the function that it is a part of; ``firmware_framebuffer`` says that
    the firmware's framebuffer is known to be on it and paints (since Linux 6.9).
    """

    address: PciAddress
    vendor: int
    device: int
    class_code: int
    driver: str | None = None
    group: int | None = None
    boot_vga: bool = False
    physical: PciAddress | None = None
    firmware_framebuffer: bool = False

    @property
    def is_display(self) -> bool:
        """True for a VGA or other display controller (class 03)."""
        return self.class_code >> 16 == DISPLAY_CLASS

    @property
    def is_virtual(self) -> bool:
        """True for a virtual function (SR-IOV), which is a device of its own."""
        return self.physical is not None

    @property
    def is_bridge(self) -> bool:
        """True for bridges (class 06): they never go over to a guest."""
        return self.class_code >> 16 == BRIDGE_CLASS

    @property
    def is_usb_controller(self) -> bool:
        """True for a USB host controller of any generation (class 0c03)."""
        return self.class_code >> 8 == USB_CLASS

    def __str__(self) -> str:
        return f"{self.address} [{self.vendor:04x}:{self.device:04x}]"


@dataclass(frozen=True, slots=True)
class PowerPolicy:
    """Whether a function may sleep: ``d3cold_allowed`` and ``power/control``; None = absent."""

    d3cold_allowed: str | None
    control: str | None


@dataclass(frozen=True, slots=True)
class DisplayOutput:
    """What a display function shows the host: its DRM card nodes and connected connectors."""

    cards: tuple[str, ...] = ()
    connected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Console:
    """A framebuffer's text console: ``ident`` is its vtconN."""

    ident: str
    bound: bool


@dataclass(frozen=True, slots=True)
class FirmwareFramebuffer:
    """A platform device that paints through the firmware's mode, e.g. efi-framebuffer.0.

    ``parent`` is the function that it is on, which the kernel tells since 6.9 (sysfb.c).
    """

    device: str
    driver: str
    parent: PciAddress | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Session:
    """A logind session (org.freedesktop.login1(5)): ``kind`` is its Class, ``unit`` its scope.

    ``terminal`` is the number of its virtual terminal, 0 for none; ``leader`` its first process;
    ``desktop`` what the login screen calls it, e.g. "gnome" (XDG_SESSION_DESKTOP). ``closing``: it
    is over, and listed with seat and type until what it has left in its scope has ended.
    """

    ident: str
    user: str
    uid: int
    seat: str
    kind: str
    graphical: bool = False
    unit: str = ""
    terminal: int = 0
    leader: int = 0
    desktop: str = ""
    closing: bool = False

    @property
    def is_desktop(self) -> bool:
        """True for a graphical one that nobody has logged out of."""
        return self.graphical and not self.closing

    @property
    def is_person(self) -> bool:
        """True for somebody's own session; false for a greeter, a lock screen, a manager.

        There are several such classes: user, user-early, user-light, user-incomplete.
        """
        return self.kind.partition("-")[0] == "user"


@dataclass(frozen=True, slots=True)
class Holder:
    """A process with a device node open.

    ``unit`` is the systemd unit that owns it, or empty; ``group`` the path of its control group.
    """

    pid: int
    command: str
    node: str
    unit: str = ""
    uid: int = 0
    group: str = ""

    def __str__(self) -> str:
        return f"{self.command} (pid {self.pid}) has {self.node} open"


@dataclass(frozen=True, slots=True)
class LateCall:
    """A process that has not ended in its time and is still in the kernel, or may be.

    ``subject`` is the device, module or console it is for; ``what`` names it for a person.
    """

    subject: str
    pid: int
    what: str


@dataclass(frozen=True, slots=True)
class Program:
    """A process of somebody's session or manager, which ``unit`` is; ``name`` for a person.

    ``is_application``: the desktop has it in a unit of its own, as what somebody has opened.
    """

    name: str
    unit: str
    is_application: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Unit:
    """A systemd unit: ``ident`` is its primary name, which an alias resolves to.

    ``busy``: a job for it is queued or under way.
    """

    ident: str
    active: bool
    loaded: bool = True
    busy: bool = False


class Phase(Enum):
    """Who has the devices, or which way they are going."""

    HOST = "host"
    HANDOFF = "handoff"
    PREPARED = "prepared"
    GUEST = "guest"
    RETURN = "return"
    STUCK = "stuck"


class Direction(Enum):
    """Which way a step is taken."""

    HANDOFF = "handoff"
    RETURN = "return"
