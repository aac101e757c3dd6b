"""Composition for the commands that read this machine without the daemon, as any user."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from vfiod import paths
from vfiod.bus.connection import Bus
from vfiod.config.file import read_config_file
from vfiod.config.schema import Config, GuestConfig
from vfiod.config.unknown import unknown_guest
from vfiod.errors import Busy, HostError, Refused, UnknownGuest, VfiodError
from vfiod.guest import description, domain
from vfiod.guest.connection import domain_xml, look
from vfiod.guest.saved import saved_state
from vfiod.handoff.decision import snapshot
from vfiod.handoff.decision.plan import Plan, plan_handoff
from vfiod.handoff.decision.readiness import OFF, GuestFacts, assess
from vfiod.handoff.decision.request import Request
from vfiod.host.door import Files
from vfiod.host.facts.libvirtd import HookPlaces
from vfiod.host.linux.files import LinuxFiles
from vfiod.host.linux.host import LinuxHost
from vfiod.host.linux.kernelcall import KernelCalls
from vfiod.host.linux.pci import LinuxPci
from vfiod.host.linux.process import run
from vfiod.host.linux.processes import LinuxProcesses
from vfiod.host.pci import Pci
from vfiod.host.processes import Processes
from vfiod.paths import CONFIG, JOURNAL
from vfiod.tools.doctor.read import Sources

_LOOKING_SECONDS = 20.0
_LIST = "see: virsh --connect qemu:///system list --all"
_END = "it has to be shut down before it can be started"


def plan_for(name: str) -> Plan:
    """What a start of the guest would do now. Raises Refused and others."""
    config = read_config_file()
    guest = guest_named(name, config)
    found = look(name)
    if found is None:
        raise UnknownGuest(f"libvirt has no guest {name}", _LIST)
    if found.saved:
        raise Refused([saved_state(name)])
    return plan_handoff(_request(LinuxHost(Bus()), config, guest, found.xml))


def guests_now() -> list[GuestFacts]:
    """Every configured guest as it is now. Raises ConfigError, or HostError without libvirt."""
    config, host = read_config_file(), LinuxHost(Bus())
    return [_facts(host, config, guest) for guest in config.guests.values()]


def _facts(host: LinuxHost, config: Config, guest: GuestConfig) -> GuestFacts:
    found = look(guest.name)
    if found is None:
        return GuestFacts(guest.name, reasons=((f"libvirt has no guest {guest.name}", _LIST),))
    words = description.read(found.xml)
    facts = GuestFacts(guest.name, words.title, words.system, found.state)
    try:
        facts = replace(facts, uuid=domain.parse(found.xml).uuid)
        if found.state not in OFF:
            return replace(facts, reasons=((f"{guest.name} is {found.state}", _END),))
        if found.saved:
            raise saved_state(guest.name)
        reasons, people = assess(_request(host, config, guest, found.xml))
    except VfiodError as error:
        return replace(facts, reasons=((error.message, error.hint),))
    return replace(facts, reasons=reasons, people=people)


def _request(host: LinuxHost, config: Config, guest: GuestConfig, xml: str) -> Request:
    wanted = domain.parse(xml)
    return Request(config, guest, wanted, snapshot.read(host, config, guest, wanted))


def guest_named(name: str, config: Config) -> GuestConfig:
    """What the configuration says of a guest. Raises UnknownGuest."""
    if name in config.guests:
        return config.guests[name]
    raise unknown_guest(name, ", ".join(config.guests), str(CONFIG))


def require_no_handoff() -> None:
    """Raises Busy while a guest has the devices, gets them, or gives them back."""
    if JOURNAL.exists():
        raise Busy("a guest has devices of this host, or is getting them",
                   "wait for its end; vfiod status says what is under way")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Doors:
    """The doors that need no bus: for commands about one device or file."""

    pci: Pci
    processes: Processes
    files: Files


def doors() -> Doors:
    """This machine's."""
    return Doors(LinuxPci(KernelCalls()), LinuxProcesses(), LinuxFiles())


def run_program(argv: Sequence[str]) -> str:
    """Run a system program to its end; an initramfs for every kernel takes minutes."""
    return run(argv, seconds=1800)


def doctor_sources() -> Sources:
    """What doctor looks at; without a system bus it looks at what is left."""
    try:
        bus = Bus()
    except HostError:
        bus = None
    return Sources(
        hook=HookPlaces(paths.HOOK, paths.HOOK_SOURCE, paths.HOOK_MARK),
        load_config=read_config_file,
        domain_xml=domain_xml,
        run=partial(run, seconds=_LOOKING_SECONDS),
        bus=bus,
        host=LinuxHost(bus) if bus is not None else None,
    )
