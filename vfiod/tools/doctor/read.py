"""Reads the facts that doctor judges. What cannot be had is left out, never an error."""

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from vfiod import paths
from vfiod.bus.connection import Bus
from vfiod.config.schema import Config
from vfiod.config.values import DISPLAY_MANAGER
from vfiod.errors import ConfigError, VfiodError
from vfiod.guest import domain
from vfiod.guest.features import read_guest
from vfiod.handoff.decision import snapshot
from vfiod.handoff.decision.request import Request
from vfiod.host.door import Host
from vfiod.host.facts import boot
from vfiod.host.facts.desktop import read_desktop
from vfiod.host.facts.file_access import PathAccess, read_path_access
from vfiod.host.facts.firmware import read_firmware
from vfiod.host.facts.kernel import read_kernel
from vfiod.host.facts.libvirtd import HookPlaces, read_libvirt
from vfiod.host.facts.memory import read_memory
from vfiod.host.facts.pci import read_devices
from vfiod.host.facts.pcinames import read_names
from vfiod.host.facts.qemu_user import read_account
from vfiod.host.facts.screen import read_framebuffers
from vfiod.host.facts.units import UnitState, read_units
from vfiod.host.facts.usage import read_host_usage
from vfiod.model import Holder, PciAddress
from vfiod.tools.doctor.facts import Facts, Guest, Settings
from vfiod.tools.doctor.libvirt import UNITS
from vfiod.tools.leftovers import find

_LOOK = 15.0
LIST_GUESTS = "See that libvirt runs and how the guest is called."


@dataclass(frozen=True, slots=True)
class Sources:
    """What is not read from files. ``bus`` and ``host`` are None if the system bus is not there.

    ``run`` runs a program and gives what it printed; it raises HostError if that fails.
    """

    hook: HookPlaces
    load_config: Callable[[], Config]
    domain_xml: Callable[[str], str]
    run: Callable[[Sequence[str]], str]
    bus: Bus | None = None
    host: Host | None = None


def gather(sources: Sources, name: str | None = None, root: Path = Path("/")) -> Facts:
    """Read this host, and the guest ``name`` if one is given."""
    settings = _settings(sources)
    devices = read_devices(root)
    facts = Facts(
        firmware=read_firmware(root),
        boot=boot.read(root),
        kernel=read_kernel(root),
        devices=devices,
        names=read_names(root),
        framebuffers=read_framebuffers(root),
        libvirt=read_libvirt(sources.hook, root),
        desktop=read_desktop(root),
        memory=read_memory(root),
        settings=settings,
        leftovers=find.read(root, devices.values()),
        units=_units(sources, settings.config),
        guest=_guest(sources, settings.config, name, root) if name else None,
        in_use_by=read_host_usage(devices, root),
        busy=os.path.exists(paths.below(root, paths.JOURNAL)),
    )
    return replace(facts, holders=_holders(sources, [d.address for d in facts.leaving]))


def _settings(sources: Sources) -> Settings:
    try:
        return Settings(sources.load_config())
    except ConfigError as error:
        return Settings(faults=error.faults)


def _units(sources: Sources, config: Config) -> dict[str, UnitState] | None:
    wanted = dict.fromkeys((*UNITS, DISPLAY_MANAGER, config.display_manager))
    if sources.bus is not None:
        with suppress(VfiodError):
            return dict(read_units(sources.bus, wanted))
    return None


def _holders(sources: Sources, addresses: Sequence[PciAddress]) -> Sequence[Holder]:
    return sources.host.processes.holders(addresses) if sources.host is not None else ()


def _guest(sources: Sources, config: Config, name: str, root: Path) -> Guest:
    try:
        xml = sources.domain_xml(name)
        wanted = domain.parse(xml)
    except VfiodError as error:
        return Guest(name, fault=error.message, remedy=LIST_GUESTS)
    hidden = tuple(_hidden_roms(sources.host, config, wanted)) if sources.host is not None else ()
    accesses = _path_accesses(wanted, root, _missing(sources.host, wanted))
    guest = Guest(name, xml=read_guest(xml), path_accesses=accesses, hidden_roms=hidden)
    if name not in config.guests or sources.host is None:
        return guest
    chosen = config.guests[name]
    try:
        state = snapshot.read(sources.host, config, chosen, wanted)
    except VfiodError as error:
        return replace(guest, fault=error.message, remedy=error.hint or LIST_GUESTS)
    return replace(guest, request=Request(config, chosen, wanted, state))


def _hidden_roms(host: Host, config: Config, wanted: domain.Domain) -> Iterator[str]:
    guest = config.guests.get(wanted.name)
    copied = {device.address for device in guest.devices if device.rom} if guest else set()
    for hostdev in wanted.hostdevs:
        own = hostdev.rom_file is not None and hostdev.address not in copied
        if hostdev.rom_file and own and not host.files.qemu_may_read(hostdev.rom_file):
            yield hostdev.rom_file


def _missing(host: Host | None, wanted: domain.Domain) -> Collection[str]:
    """Also what does not answer: whoever follows the way to it himself would wait for ever."""
    images = [disk.source for disk in wanted.disks if not disk.block]
    return () if host is None else host.files.missing(images, seconds=_LOOK)


def _path_accesses(wanted: domain.Domain, root: Path, missing: Collection[str]) -> list[PathAccess]:
    images = [disk.source for disk in wanted.disks if not disk.block]
    roms = [hostdev.rom_file for hostdev in wanted.hostdevs if hostdev.rom_file]
    paths = [path for path in (*images, *roms) if path.startswith("/") and path not in missing]
    account = read_account(root)
    return [read_path_access(path, root, account) for path in paths]
