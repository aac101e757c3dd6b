"""A read-only snapshot of everything a decision needs: Host -> HostState. Changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from vfiod.config import spared
from vfiod.config.performance import NOTHING
from vfiod.config.schema import Config, GuestConfig
from vfiod.errors import HostError
from vfiod.guest.domain import Domain
from vfiod.handoff.accounts import is_manager, manager_of, owner_of
from vfiod.handoff.decision import ending, homes, rules, unfinished
from vfiod.handoff.decision.hoststate import (
    NVIDIA_MODULES,
    VFIO_MODULE,
    HostState,
    MemoryState,
    RomFile,
)
from vfiod.handoff.decision.request import Request
from vfiod.handoff.nodes import is_card, is_sound
from vfiod.host.door import Host
from vfiod.host.systemd import Inhibitor
from vfiod.model import (
    VFIO_DRIVER,
    Holder,
    PciAddress,
    PciFunction,
    Session,
    Unit,
)

_INIT = 1
_LOOK = 15.0  # a disk that sleeps takes half of it


def read(host: Host, config: Config, guest: GuestConfig, domain: Domain) -> HostState:
    """Read what deciding about this guest needs. Raises HostError if the host does not answer."""
    functions = host.pci.functions()
    listed = [d.address for d in guest.devices if d.address in functions]
    leaving = [a for a in listed if functions[a].driver not in (None, VFIO_DRIVER)]
    holders = host.processes.holders(leaving)
    display_manager = host.units.unit(config.display_manager)
    state = HostState(
        functions=functions,
        display_manager=display_manager,
        memory=_memory(host, domain),
        holders=holders,
        can_close_gate=host.gate.can_close(),
        shutting_down=host.units.shutting_down(),
        inhibitors=_inhibitors(host),
        roms={d.address: _rom(host, d.address, d.rom) for d in guest.devices if d.rom},
        **_people(host, holders, display_manager),
        **_devices(host, functions, listed, leaving),
        **_picture(host, functions, listed, holders),
        **_modules(host),
        **_opened(host, domain),
        keyboards=_keyboards(host, config, domain),
        **_performance(host, guest),
    )
    return _with_what_ends(host, Request(config, guest, domain, state))


def _people(host: Host, holders: Sequence[Holder], display_manager: Unit) -> dict[str, Any]:
    """Whose work is there, and what would begin or keep it."""
    sessions = host.logins.sessions()
    spawners = _spawners(host, sessions)
    return {
        "sessions": sessions,
        "spawners": spawners,
        "terminals": _terminals(host, sessions, holders),
        "lingering": _lingering(host, holders, sessions),
        "spared": _spared(host, holders, display_manager, spawners),
        "programs": host.processes.programs(_units_of_people(holders, sessions)),
        "users": {uid: host.logins.user_name(uid) for uid in _unknown(holders, sessions)},
    }


def _inhibitors(host: Host) -> Sequence[Inhibitor]:
    """None if logind does not say: the start must not hang on that."""
    try:
        found = filter(unfinished.is_vital, host.logins.inhibitors())
    except HostError:
        return ()
    return [replace(inhibitor, unit=host.processes.unit(inhibitor.pid)) for inhibitor in found]


def _devices(
    host: Host,
    functions: Mapping[PciAddress, PciFunction],
    listed: Sequence[PciAddress],
    leaving: Sequence[PciAddress],
) -> dict[str, Any]:
    groups = {group for a in listed if (group := functions[a].group) is not None}
    return {
        "vfio_holders": host.processes.vfio_holders(groups),
        "in_use_by": host.pci.in_use_by(leaving),
        "refused_groups": frozenset(host.pci.refused_groups()),
    }


def _picture(
    host: Host,
    functions: Mapping[PciAddress, PciFunction],
    listed: Sequence[PciAddress],
    holders: Sequence[Holder],
) -> dict[str, Any]:
    lit = _lit(host, functions, listed, holders)
    return {
        "consoles": host.screen.consoles(),
        "framebuffers": host.screen.framebuffers(),
        "outputs": {a: host.pci.output(a) for a in listed if functions[a].is_display},
        "lit": lit,
        "drawing": _drawing(host, lit),
    }


def _modules(host: Host) -> dict[str, Any]:
    return {
        "vfio_available": host.modules.available(VFIO_MODULE),
        "nvidia_modules": [name for name in NVIDIA_MODULES if host.modules.loaded(name)],
        "unknown_modules": _unknown_modules(host),
        "modules_removed": host.modules.removed(),
    }


def _opened(host: Host, domain: Domain) -> dict[str, Any]:
    """What the guest opens beside its devices."""
    opened = [path for one in domain.opened for path in one.paths]
    return {
        "missing": host.files.missing(opened, seconds=_LOOK),
        "behind": host.pci.behind(opened),
        "mounts": host.files.mounts(opened),
        "usb": host.pci.usb() if domain.usb else (),
        "render_nodes": host.pci.render_nodes() if domain.renderer else {},
    }


def _keyboards(host: Host, config: Config, domain: Domain) -> Mapping[str, bool]:
    """Those that are listened to, unless QEMU has them for itself."""
    keys = config.escape_keys
    return host.inputs.keyboards(keys, domain.grabbed) if keys and domain.grabbed else {}


def _lit(
    host: Host,
    functions: Mapping[PciAddress, PciFunction],
    listed: Sequence[PciAddress],
    holders: Sequence[Holder],
) -> frozenset[PciAddress]:
    """Displays that stay and have a screen.

    A board's remote management always says that it has one: it is believed if the card has none.
    """
    others = [f for f in functions.values() if f.is_display and f.address not in listed]
    driven = [f for f in others if f.driver not in (None, VFIO_DRIVER)]
    is_used = any(not is_sound(holder) for holder in holders)
    if any(_may_have_a_screen(host, functions[a], is_used=is_used) for a in listed):
        driven = [f for f in driven if f.vendor not in rules.MANAGEMENT]
    return frozenset(f.address for f in driven if host.pci.output(f.address).connected)


def _may_have_a_screen(host: Host, function: PciFunction, *, is_used: bool) -> bool:
    """Also true if its driver does not say (NVIDIA's without modeset has no DRM node) and somebody
    has it open: a card that is for guests alone is nobody's.
    """
    if not function.is_display or function.driver in (None, VFIO_DRIVER):
        return False
    output = host.pci.output(function.address)
    return bool(output.connected) or (is_used and not output.cards)


def _drawing(host: Host, lit: frozenset[PciAddress]) -> frozenset[int]:
    """logind has the cards of all its sessions open, too."""
    holders = host.processes.holders(lit) if lit else ()
    return frozenset(h.pid for h in holders if is_card(h) and not spared.is_untouchable(h))


def _unknown_modules(host: Host) -> Sequence[str]:
    users = {user for name in NVIDIA_MODULES for user in host.modules.users(name)}
    return sorted(users - set(NVIDIA_MODULES))


def _lingering(
    host: Host, holders: Sequence[Holder], sessions: Sequence[Session]
) -> frozenset[int]:
    """Users whose manager stays without a session, of those whom it may be about."""
    users = {owner_of(holder) for holder in holders if is_manager(holder.unit)}
    users |= {session.uid for session in sessions if session.is_person}
    return frozenset(uid for uid in users if host.logins.lingers(uid))


def _spared(
    host: Host, holders: Sequence[Holder], manager: Unit, spawners: Mapping[str, str]
) -> frozenset[str]:
    """Units never to be stopped, under the names that systemd gives them.

    Asked for only where a service might be: systemd reads those that do not run from the disk.
    """
    services = {h.unit for h in holders if h.unit.endswith(".service")} - {manager.ident}
    if not spawners and all(map(is_manager, services)):
        return frozenset()
    names = host.units.primary_names(spared.NAMES)
    return frozenset({*names, *host.units.needs(spared.OWN)})


def _units_of_people(holders: Sequence[Holder], sessions: Sequence[Session]) -> frozenset[str]:
    """Where somebody's programs may end: sessions' scopes and users' managers."""
    people = [s for s in sessions if s.is_person]
    managers = {manager_of(s.uid) for s in people}
    managers |= {h.unit for h in holders if is_manager(h.unit)}
    return frozenset({*managers, *(s.unit for s in people)})


def _spawners(host: Host, sessions: Sequence[Session]) -> Mapping[str, str]:
    """The services that would begin a session on a terminal anew.

    Only for one that systemd began itself: a getty, or a service of the user's own making. A
    display manager begins its sessions through a process of its own.
    """
    direct = [s for s in sessions if s.is_person and s.terminal and s.leader and not s.closing]
    leaders = {s.leader: s.ident for s in direct if host.processes.parent(s.leader) == _INIT}
    return {leaders[pid]: unit for pid, unit in host.units.begun_with(leaders).items()}


def _terminals(
    host: Host, sessions: Sequence[Session], holders: Sequence[Holder]
) -> Mapping[str, str]:
    """The services that have a device open and began a session, as a console's (kmscon) has."""
    units = {holder.pid: holder.unit for holder in holders}
    people = [s for s in sessions if units and s.is_person and s.leader and not s.closing]
    found = {s.ident: units.get(host.processes.parent(s.leader), "") for s in people}
    return {ident: unit for ident, unit in found.items() if unit.endswith(".service")}


def _unknown(holders: Sequence[Holder], sessions: Sequence[Session]) -> set[int]:
    return {owner_of(holder) for holder in holders} - {0, *(s.uid for s in sessions)}


def _performance(host: Host, guest: GuestConfig) -> dict[str, Any]:
    if guest.performance == NOTHING:
        return {}
    return {
        "online": host.cpus.online(),
        "can_limit_cpus": host.slices.can_limit(),
        "frequencies": host.cpus.frequencies(),
        "transparent_hugepages": host.hugepages.transparent(),
    }


def _rom(host: Host, address: PciAddress, path: str) -> RomFile:
    staged = host.files.staged_path(address)
    try:
        data = host.files.read_rom(path)
    except HostError as error:
        return RomFile(path, staged, fault=error.message)
    return RomFile(path, staged, data=data, readable_in_place=host.files.qemu_may_read(path))


def _memory(host: Host, domain: Domain) -> MemoryState:
    """What is free now; what comes free with the desktop is known once it is known what ends."""
    return MemoryState(
        available=host.memory.available(),
        desktop=0,
        pool=host.hugepages.pool(domain.hugepage_bytes) if domain.hugepages else None,
        mounted=host.hugepages.mounted() if domain.hugepages else frozenset(),
    )


def _with_what_ends(host: Host, request: Request) -> HostState:
    state = request.state
    desktop = host.memory.held_by(ending.freed(request))
    memory = replace(state.memory, desktop=desktop)
    found = {uid: host.logins.home(uid) for uid in homes.in_question(request)}
    return replace(state, memory=memory, homes=found)
