"""What is plugged into the USB controllers, hubs included.

A controller's root hubs are directories usbN below its PCI function, everything else hangs below
those by port: 1-4, then 1-4.2 behind a hub (kernel: Documentation/driver-api/usb/usb.rst and
Documentation/ABI/stable/sysfs-bus-usb). Class codes: usb.org, Defined Class Codes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from vfiod.host.facts.pci import read_devices
from vfiod.model import PciAddress
from vfiod.util import sysfs


class UsbKind(Enum):
    """What a device is to a person."""

    KEYBOARD = "keyboard"
    MOUSE = "mouse"
    INPUT = "input"
    HUB = "hub"
    STORAGE = "storage"
    AUDIO = "audio"
    CAMERA = "camera"
    NETWORK = "network"
    BLUETOOTH = "bluetooth"
    PRINTER = "printer"
    SERIAL = "serial"
    SECURITY_KEY = "security key"
    OTHER = "other"


_HID = 0x03
# Class, or class and subclass, or class, subclass and protocol: the longest that fits counts.
KINDS: Mapping[tuple[int, ...], UsbKind] = {
    (0x01,): UsbKind.AUDIO,
    (0x02,): UsbKind.SERIAL,
    (0x02, 0x06): UsbKind.NETWORK,
    (0x02, 0x0D): UsbKind.NETWORK,
    (0x02, 0x0E): UsbKind.NETWORK,
    (0x03,): UsbKind.INPUT,
    (0x03, 0x01, 0x01): UsbKind.KEYBOARD,
    (0x03, 0x01, 0x02): UsbKind.MOUSE,
    (0x07,): UsbKind.PRINTER,
    (0x08,): UsbKind.STORAGE,
    (0x09,): UsbKind.HUB,
    (0x0B,): UsbKind.SECURITY_KEY,
    (0x0E,): UsbKind.CAMERA,
    (0xE0, 0x01, 0x01): UsbKind.BLUETOOTH,
    (0xE0, 0x01, 0x03): UsbKind.NETWORK,
}

_INPUT = frozenset({UsbKind.KEYBOARD, UsbKind.MOUSE})
# Yubico's pass for keyboards, since they type one-time passwords (usb.ids).
_SECURITY_KEYS = frozenset({0x1050})
# What udev says of an event device, by its hwdb and the keys and axes that the kernel tells
# (systemd: src/udev/udev-builtin-input_id.c).
_UDEV: Mapping[str, UsbKind] = {
    "E:ID_INPUT_KEYBOARD=1": UsbKind.KEYBOARD,
    "E:ID_INPUT_MOUSE=1": UsbKind.MOUSE,
}


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """One plugged-in device. ``port`` is its path of ports, e.g. ``1-4.2``; names may be empty."""

    port: str
    vendor: int
    device: int
    manufacturer: str = ""
    product: str = ""
    kinds: tuple[UsbKind, ...] = ()
    number: int = 0  # on its bus, as lsusb(8) shows it

    @property
    def bus(self) -> int:
        """The number of the bus, with which the port begins."""
        return int(self.port.partition("-")[0])

    @property
    def is_input(self) -> bool:
        """True if a person types or points with it."""
        return not _INPUT.isdisjoint(self.kinds)

    @property
    def is_hub(self) -> bool:
        """True for a hub that is nothing else."""
        return self.kinds == (UsbKind.HUB,)

    @property
    def name(self) -> str:
        """What the device calls itself; its ids if it does not say."""
        maker = self.manufacturer if self.manufacturer not in self.product else ""
        return f"{maker} {self.product}".strip() or f"{self.vendor:04x}:{self.device:04x}"


@dataclass(frozen=True, slots=True)
class UsbController:
    """A PCI function that drives USB ports, and what is plugged in, in the order of ports."""

    address: PciAddress
    devices: tuple[UsbDevice, ...] = ()

    def having(self, kind: UsbKind) -> tuple[UsbDevice, ...]:
        """The devices of a kind."""
        return tuple(device for device in self.devices if kind in device.kinds)


def read_controllers(root: Path = Path("/")) -> Mapping[PciAddress, UsbController]:
    """All USB controllers; one without a driver has no devices that could be seen."""
    folder = root / "sys/bus/pci/devices"
    udev = root / "run/udev/data"
    return {
        address: UsbController(address, tuple(read_plugged(folder / str(address), udev)))
        for address, device in read_devices(root).items()
        if device.is_usb_controller
    }


def read_plugged(controller: Path, udev: Path) -> Iterator[UsbDevice]:
    """Devices below the PCI function at ``controller``, root hubs left out.

    ``udev`` is the directory in which udev keeps what it knows of devices.
    """
    for name in sysfs.names(controller):
        if re.fullmatch(r"usb[0-9]+", name):
            yield from _below(controller / name, udev)


def _below(hub: Path, udev: Path) -> Iterator[UsbDevice]:
    ports = [name for name in sysfs.names(hub) if re.fullmatch(r"[0-9]+-[0-9]+(\.[0-9]+)*", name)]
    for name in sorted(ports, key=lambda port: [int(n) for n in re.findall(r"[0-9]+", port)]):
        device = _read(hub / name, udev)
        if device is not None:
            yield device
            yield from _below(hub / name, udev)


def _read(path: Path, udev: Path) -> UsbDevice | None:
    ids = [sysfs.read(path / name) for name in ("idVendor", "idProduct")]
    if None in ids:
        return None
    vendor, device = (int(number or "0", 16) for number in ids)
    is_key = vendor in _SECURITY_KEYS
    return UsbDevice(
        port=path.name,
        vendor=vendor,
        device=device,
        manufacturer=_words(path / "manufacturer"),
        product=_words(path / "product"),
        kinds=(UsbKind.SECURITY_KEY,) if is_key else tuple(dict.fromkeys(_kinds(path, udev))),
        number=int(sysfs.read(path / "devnum") or "0"),
    )


def _kinds(device: Path, udev: Path) -> Iterator[UsbKind]:
    """By interface; those the device only describes by a vendor's own class are OTHER.

    Of input devices udev knows better: many without the boot protocol are keyboards, and many
    with it have no letters.
    """
    for name in sysfs.names(device):
        if name.startswith(f"{device.name}:"):
            codes = tuple(
                int(sysfs.read(device / name / f"bInterface{field}") or "0", 16)
                for field in ("Class", "SubClass", "Protocol")
            )
            is_input = codes[0] == _HID
            known = list(_known_to_udev(device / name, udev)) if is_input else []
            yield from known or [kind_of(codes)]


def _known_to_udev(interface: Path, udev: Path) -> Iterator[UsbKind]:
    """What each event device is, INPUT if neither; nothing if udev does not know any."""
    for node in sorted(interface.glob("*/input/input*/event*/dev")):
        lines = sysfs.lines(udev / f"c{sysfs.read(node)}")
        if any(line.startswith("E:ID_INPUT=") for line in lines):
            yield from [kind for line, kind in _UDEV.items() if line in lines] or [UsbKind.INPUT]


def kind_of(codes: tuple[int, ...]) -> UsbKind:
    """What an interface of this class, subclass and protocol is."""
    fitting = (codes[:length] for length in range(len(codes), 0, -1))
    return next((KINDS[key] for key in fitting if key in KINDS), UsbKind.OTHER)


def _words(path: Path) -> str:
    """A name that a device gives itself may hold any bytes: only printable ones are kept."""
    text = sysfs.read(path) or ""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
