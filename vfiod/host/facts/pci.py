"""Every PCI function with what a person wants to know of it; readable without root.

Source: kernel, Documentation/ABI/testing/sysfs-bus-pci. Looking must neither wait nor wake: the
attribute driver_override is left out, since reading it waits for the device's lock, which a
hanging unbind holds for ever; resourceN_resize is left out for a sleeping function, since reading
it resumes the function (drivers/pci/pci-sysfs.c).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vfiod.host.facts.reserved import read_refused_groups
from vfiod.model import DISPLAY_CLASS, PciAddress, PciFunction
from vfiod.util import sysfs

IORESOURCE_MEM = 0x200


@dataclass(frozen=True, slots=True)
class Connector:
    """A DRM connector: ``name`` without the card (``DP-1``), ``status`` as the kernel says it."""

    name: str
    status: str

    @property
    def connected(self) -> bool:
        """True if a screen is plugged in."""
        return self.status == "connected"


@dataclass(frozen=True, slots=True)
class Card:
    """A DRM card: ``name`` is cardN of /dev/dri."""

    name: str
    connectors: tuple[Connector, ...] = ()

    @property
    def screens(self) -> tuple[Connector, ...]:
        """The connectors with a screen."""
        return tuple(connector for connector in self.connectors if connector.connected)


@dataclass(frozen=True, slots=True)
class Bar:
    """A memory region of a function. ``size`` is in bytes.

    ``resizable`` says that the kernel offers other sizes; ``sizes``, in bytes, is empty for a
    function that sleeps.
    """

    index: int
    size: int
    resizable: bool = False
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PciDevice(PciFunction):
    """One function, read whole. What is None or empty the kernel does not show.

    ``subsystem`` is vendor and device of the board; ``parent`` the bridge above it;
    ``resettable`` says whether the file ``reset`` exists, ``reset_methods`` how it would be done,
    in the kernel's order of preference (since Linux 5.15); ``firmware_mapped`` that the kernel
    refuses to hand over its group (vfiod.host.facts.reserved).
    """

    subsystem: tuple[int, int] | None = None
    revision: int = 0
    parent: PciAddress | None = None
    resettable: bool = False
    reset_methods: tuple[str, ...] = ()
    d3cold_allowed: bool | None = None
    power_state: str | None = None
    cards: tuple[Card, ...] = ()
    bars: tuple[Bar, ...] = ()
    firmware_mapped: bool = False

    @property
    def connected(self) -> tuple[str, ...]:
        """Connectors with a screen, e.g. ``DP-1``."""
        return tuple(connector.name for card in self.cards for connector in card.screens)


def read_devices(root: Path = Path("/")) -> Mapping[PciAddress, PciDevice]:
    """All functions of the machine, in the order of their addresses."""
    folder = root / "sys/bus/pci/devices"
    addresses = sorted(filter(None, map(parse_address, sysfs.names(folder))))
    refused = read_refused_groups(root)
    found = (read_device(folder / str(address)) for address in addresses)
    return {
        device.address: replace(device, firmware_mapped=device.group in refused)
        for device in found
        if device is not None
    }


def read_device(path: Path) -> PciDevice | None:
    """The function at ``/sys/bus/pci/devices/ADDRESS``; None if it is not (or no longer) there."""
    function = read_function(path)
    if function is None:
        return None
    board = (_hexadecimal(path / "subsystem_vendor"), _hexadecimal(path / "subsystem_device"))
    d3cold = sysfs.read(path / "d3cold_allowed")
    return PciDevice(
        address=function.address,
        vendor=function.vendor,
        device=function.device,
        class_code=function.class_code,
        driver=function.driver,
        group=function.group,
        boot_vga=function.boot_vga,
        physical=function.physical,
        firmware_framebuffer=function.firmware_framebuffer,
        subsystem=None if board[0] is None or board[1] is None else (board[0], board[1]),
        revision=_hexadecimal(path / "revision") or 0,
        parent=parse_address(path.resolve().parent.name),
        resettable=(path / "reset").exists(),
        reset_methods=tuple((sysfs.read(path / "reset_method") or "").split()),
        d3cold_allowed=None if d3cold is None else d3cold == "1",
        power_state=sysfs.read(path / "power_state"),
        cards=read_cards(path),
        bars=tuple(_bars(path)),
    )


def read_function(path: Path) -> PciFunction | None:
    """What deciding needs of the function at ``path``; None if it is not there."""
    address = parse_address(path.name)
    ids = [_hexadecimal(path / name) for name in ("vendor", "device", "class")]
    vendor, device, code = ids
    if address is None or vendor is None or device is None or code is None:
        return None
    group = sysfs.read_link(path / "iommu_group")
    painted = path.glob("*-framebuffer.*") if code >> 16 == DISPLAY_CLASS else ()
    return PciFunction(
        address=address,
        vendor=vendor,
        device=device,
        class_code=code,
        driver=sysfs.read_link(path / "driver"),
        group=int(group) if group else None,
        boot_vga=sysfs.read(path / "boot_vga") == "1",
        physical=parse_address(sysfs.read_link(path / "physfn") or ""),
        firmware_framebuffer=any(sysfs.read_link(below / "driver") for below in painted),
    )


def read_cards(path: Path) -> tuple[Card, ...]:
    """DRM cards of a function. A virtio GPU's hangs on the virtio device below the function."""
    folders = [path / "drm", *sorted(path.glob("virtio*/drm"))]
    cards = [f / name for f in folders for name in sysfs.names(f) if name.startswith("card")]
    return tuple(Card(card.name, tuple(_connectors(card))) for card in cards)


def parse_address(text: str) -> PciAddress | None:
    """The address a directory of sysfs is named after, or None if it is named otherwise."""
    try:
        return PciAddress.parse(text)
    except ValueError:
        return None


def _connectors(card: Path) -> list[Connector]:
    prefix = f"{card.name}-"
    statuses = [
        (name.removeprefix(prefix), sysfs.read(card / name / "status"))
        for name in sysfs.names(card)
        if name.startswith(prefix)
    ]
    return [Connector(name, status) for name, status in statuses if status is not None]


def is_awake(path: Path) -> bool:
    """True if the function at ``path`` can be asked without resuming it."""
    return sysfs.read(path / "power_state") in (None, "D0")


def _bars(path: Path) -> list[Bar]:
    """The first six lines of ``resource`` are the BARs: start, end and flags of each."""
    bars, awake = [], is_awake(path)
    for index, line in enumerate((sysfs.read(path / "resource") or "").splitlines()[:6]):
        start, end, flags = (int(field, 16) for field in line.split())
        if end and flags & IORESOURCE_MEM:
            resize = path / f"resource{index}_resize"
            sizes = _sizes(resize) if awake else ()
            bars.append(Bar(index, end - start + 1, resize.exists(), sizes))
    return bars


def _sizes(resize: Path) -> tuple[int, ...]:
    """Bit N stands for 2^N MiB."""
    bits = _hexadecimal(resize) or 0
    return tuple(2**20 << bit for bit in range(bits.bit_length()) if bits >> bit & 1)


def _hexadecimal(path: Path) -> int | None:
    text = sysfs.read(path) or ""
    return int(text, 16) if re.fullmatch(r"(?:0x)?[0-9a-fA-F]+", text) else None
