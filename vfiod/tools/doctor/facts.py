"""All that doctor knows of a host when it judges: read before, never here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vfiod.config.schema import Config, GuestConfig
from vfiod.guest.features import GuestXml
from vfiod.handoff.decision.request import Request
from vfiod.host.facts.boot import Boot
from vfiod.host.facts.desktop import Desktop
from vfiod.host.facts.file_access import PathAccess
from vfiod.host.facts.firmware import Firmware
from vfiod.host.facts.kernel import Kernel
from vfiod.host.facts.libvirtd import Libvirt
from vfiod.host.facts.memory import Memory
from vfiod.host.facts.pci import PciDevice
from vfiod.host.facts.pcinames import PciNames
from vfiod.host.facts.units import UnitState
from vfiod.model import FirmwareFramebuffer, Holder, PciAddress
from vfiod.tools.groups.cards import are_one_card, candidates
from vfiod.tools.leftovers.find import Leftover


@dataclass(frozen=True, slots=True)
class Settings:
    """/etc/vfiod/vfiod.yaml: what it says, or what is wrong with it."""

    config: Config = field(default_factory=Config)
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guest:
    """The guest asked about. Each part is None if it could not be had; ``fault`` says why.

    ``path_accesses`` are the files its QEMU must open: disk images and the ROM. ``hidden_roms`` are
    ROM files that it may not read, and that no configuration has vfiod copy for it.
    """

    name: str
    xml: GuestXml | None = None
    request: Request | None = None
    fault: str = ""
    remedy: str = ""
    path_accesses: Sequence[PathAccess] = ()
    hidden_roms: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """One host, and one guest if one was asked about.

    ``units`` is None if systemd did not answer; ``busy`` says that a guest has the devices now;
    ``in_use_by`` what of the running host stands on a device.
    """

    firmware: Firmware
    boot: Boot
    kernel: Kernel
    devices: Mapping[PciAddress, PciDevice]
    names: PciNames
    framebuffers: Sequence[FirmwareFramebuffer]
    libvirt: Libvirt
    desktop: Desktop
    memory: Memory
    settings: Settings
    leftovers: Sequence[Leftover] = ()
    in_use_by: Mapping[PciAddress, Sequence[str]] = field(default_factory=dict)
    units: Mapping[str, UnitState] | None = None
    holders: Sequence[Holder] = ()
    guest: Guest | None = None
    busy: bool = False

    @property
    def displays(self) -> list[PciDevice]:
        """The graphics cards and chips."""
        return [device for device in self.devices.values() if device.is_display]

    @property
    def guests(self) -> list[GuestConfig]:
        """The guest asked about if it is configured, else all that are."""
        guests = self.settings.config.guests
        if self.guest is not None and self.guest.name in guests:
            return [guests[self.guest.name]]
        return list(guests.values())

    @property
    def leaving(self) -> list[PciDevice]:
        """What goes over: the configured devices, or without any each card that could."""
        addresses = {device.address for guest in self.guests for device in guest.devices}
        devices = self.devices.values()
        if addresses:
            return [device for device in devices if device.address in addresses]
        cards = [d for d in self.displays if not d.is_virtual]
        return [d for d in devices if any(are_one_card(d, c, self.devices) for c in cards)]

    @property
    def chosen_displays(self) -> list[PciDevice]:
        """Those that a guest gets for certain: configured, or what vfiod init would propose."""
        cards = candidates(self.devices)
        return self.leaving_displays if self.guests else cards if len(cards) == 1 else []

    @property
    def leaving_displays(self) -> list[PciDevice]:
        """The graphics cards among them."""
        return [device for device in self.leaving if device.is_display]

    @property
    def roms(self) -> Mapping[PciAddress, str]:
        """Configured ROM files by device."""
        return {d.address: d.rom for guest in self.guests for d in guest.devices if d.rom}

    def named(self, device: PciDevice) -> str:
        """The device for a person: its name, as far as it is known, and its address."""
        name = self.names.device(device)
        return f"{name} ({device.address})" if name else str(device)
