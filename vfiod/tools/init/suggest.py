"""What vfiod init suggests for a guest: reads machine, definition and configuration, decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vfiod.config.edit import with_devices
from vfiod.config.file import read_config_file
from vfiod.config.schema import DeviceConfig
from vfiod.errors import HostError
from vfiod.guest import domain, tree
from vfiod.guest.change import edit
from vfiod.guest.commandline import Commandline
from vfiod.guest.hostdevs import set_hostdevs
from vfiod.guest.opened import read_usb
from vfiod.guest.peripherals import has_input
from vfiod.host.door import Files
from vfiod.host.facts.pci import read_devices
from vfiod.host.facts.pcinames import read_names
from vfiod.host.facts.usage import read_host_usage
from vfiod.host.facts.usb import read_controllers
from vfiod.model import PciAddress
from vfiod.tools.init import roms
from vfiod.tools.init.assign import Assignment, read
from vfiod.tools.init.facts import Facts, Proposal, Wishes
from vfiod.tools.init.propose import propose
from vfiod.tools.init.seeds import refused
from vfiod.util.typed import virsh


@dataclass(frozen=True, slots=True)
class Suggestion:
    """For one guest. ``xml`` is its definition, ``config`` the configuration's path.

    ``asked``, ``only``, ``rom`` and ``wants_usb`` are what the person said.
    """

    guest: str
    xml: str
    config: Path
    files: Files
    asked: tuple[PciAddress, ...] = ()
    only: bool = False
    rom: str | None = None
    wants_usb: bool = True

    def decide(self, root: Path = Path("/")) -> Proposal:
        """The proposal, with ROMs that fit. Raises Refused, RomError, HostError, ConfigError."""
        _require_no_vfio_arguments(self.guest, domain.parse(self.xml).commandline)
        facts = read_facts(root)
        proposal = propose(facts, self._wishes(facts))
        for address, rom in ((d.address, d.rom) for d in proposal.configs):
            if rom is not None:
                roms.check(self.files, self._named(address, rom), facts.devices[address])
        return proposal

    def assignment(self, proposal: Proposal) -> Assignment:
        """Configuration and definition as the proposal has them. Raises ConfigError."""
        text = read(self.config)
        names = {p.device.address: p.name for p in proposal.devices}
        staged = self.files.staged_path
        own = {d.address: staged(d.address) if d.rom else None for d in proposal.configs}
        bare = proposal.without_rom
        return Assignment(
            path=self.config,
            before=text,
            after=with_devices(text, self.guest, proposal.configs, remarks=names),
            change=edit(self.guest, self.xml, lambda root: set_hostdevs(root, own, bare)),
        )

    def _wishes(self, facts: Facts) -> Wishes:
        hostdevs = domain.parse(self.xml).hostdevs
        configured = self._configured()
        named = {d.address: d.rom for d in configured if d.rom}
        found = roms.in_definition(self.files, hostdevs)
        others = {a: rom for a, rom in found.items() if a not in named}
        foreign = roms.not_their_own(self.files, others, facts.devices)
        return Wishes(
            asked=self.asked,
            only=self.only,
            hostdevs=tuple(h.address for h in hostdevs),
            configured=tuple(d.address for d in configured),
            roms={a: rom for a, rom in found.items() if a not in foreign} | named,
            foreign_roms=foreign,
            card_rom=self.rom,
            wants_usb=self.wants_usb and not has_input(self.xml),
            usb=read_usb(tree.read(self.xml)),
        )

    def _configured(self) -> Sequence[DeviceConfig]:
        guest = read_config_file(self.config).guests.get(self.guest)
        return guest.devices if guest else ()

    def _named(self, address: PciAddress, rom: str) -> roms.Named:
        """Where the ROM that a device gets is from."""
        if rom == self.rom:
            return roms.Named(rom, f"--rom gives {address} the ROM", "")
        another = "give another with --rom FILE, or"
        if any((d.address, d.rom) == (address, rom) for d in self._configured()):
            by = f"the configuration gives {address} the ROM"
            return roms.Named(rom, by, f"{another} correct rom: in {self.config}")
        by, edit_it = f"the guest's <hostdev> {address} reads the ROM", virsh("edit", self.guest)
        return roms.Named(rom, by, f"{another} take its <rom> out: sudo {edit_it}")


def read_facts(root: Path = Path("/")) -> Facts:
    """What a proposal is made from; any user may read it."""
    devices = read_devices(root)
    return Facts(
        devices=devices,
        controllers=read_controllers(root),
        in_use_by=read_host_usage(devices, root),
        names=read_names(root),
    )


def _require_no_vfio_arguments(guest: str, commandline: Commandline) -> None:
    """libvirt does not see such a device: a <hostdev> for it would be a second one for QEMU."""
    faults = [
        HostError(
            f"{guest} is given {address} by -device vfio-pci in its <qemu:commandline>, where "
            "libvirt does not see it",
            f"take that -device and its line before out of it (sudo "
            f"{virsh('edit', guest)}), then have init run again with --device {address}: it "
            "becomes a <hostdev>",
        )
        for address in commandline.devices
    ]
    if faults:
        raise refused(faults)
