"""vfiod create: make a guest through virt-install, ready for its installer."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vfiod.cli.places import Places, here
from vfiod.cli.verbs.tune import host_of, offered_by
from vfiod.errors import ConfigError, HostError, Refused, VfiodError
from vfiod.paths import IMAGES


def add(verbs: Any) -> None:
    """Declare the verb."""
    from vfiod.tools.create.values import parse_name

    verb = verbs.add_parser(
        "create",
        help="make a guest, ready for its installer",
        description="Make a guest and its disk with virt-install, ready for its installer. An "
        "existing guest or disk is never overwritten; nothing is started and nothing ends.",
    )
    verb.add_argument("guest", metavar="GUEST", type=_checked(parse_name), help="its new name")
    verb.add_argument(
        "--iso", metavar="FILE", type=Path, required=True, help="the installer's CD image"
    )
    _add_machine(verb)
    verb.add_argument("--gpu", action="store_true", help="no emulated screen, only the card")
    verb.add_argument(
        "--tune",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="fit it to this host's processor, as vfiod tune does (default), or not",
    )
    verb.add_argument("--details", action="store_true", help="explain each part of that")
    verb.add_argument("--print-xml", action="store_true", help="print the definition, make nothing")
    verb.add_argument("--yes", action="store_true", help="make it without asking")
    verb.set_defaults(run=run)


def _add_machine(verb: argparse.ArgumentParser) -> None:
    """What the guest is made of."""
    verb.add_argument(
        "--virtio-iso", metavar="FILE", type=Path, help="the CD image with Windows' virtio drivers"
    )
    _add_sizes(verb)
    verb.add_argument(
        "--disk-file", metavar="FILE", type=Path, help=f"default: {IMAGES}/GUEST.qcow2"
    )
    verb.add_argument(
        "--os-variant",
        metavar="ID",
        help="what is installed, as virt-install --osinfo list names it",
    )
    verb.add_argument(
        "--secure-boot",
        action=argparse.BooleanOptionalAction,
        help="with Secure Boot or without; default: as the system wants it",
    )
    verb.add_argument(
        "--network", metavar="NAME", default="default", help="libvirt's network, or user"
    )


def _add_sizes(verb: argparse.ArgumentParser) -> None:
    from vfiod.tools.create.values import parse_count, parse_size

    size = _checked(parse_size)
    proposed = "default: what suits this host, and you are asked"
    verb.add_argument("--disk", metavar="SIZE", type=size, help=f"like 100G; {proposed}")
    verb.add_argument("--memory", metavar="SIZE", type=size, help="like 8G; the same")
    count = _checked(parse_count)
    verb.add_argument("--cpus", metavar="NUMBER", type=count, help="like 6; the same")


def _checked(parse: Any) -> Any:
    """The parser's ValueError as a message of argparse's own."""

    def read(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read


def run(arguments: argparse.Namespace) -> int:
    """Make it with this machine's libvirt."""
    from vfiod.guest.connection import Guests

    places = here()
    return run_at(arguments, Guests(places.uri), places)


def run_at(arguments: argparse.Namespace, guests: Any, places: Places) -> int:
    """The verb with its places given. Raises Refused before anything is made."""
    from vfiod.cli.local import doors
    from vfiod.cli.terminal import consents, say
    from vfiod.tools.create.definition import complete
    from vfiod.tools.create.make import printed
    from vfiod.tools.create.render import after, summary

    guest = wanted(arguments, places)
    is_up = guests.network_is_up(arguments.network)
    faults = [*_faults(guest, guests, places.root, only_defined=arguments.print_xml),
              *_network(arguments, is_up=is_up)]  # fmt: skip
    if faults:
        raise Refused(faults, heading="nothing was made")
    xml = complete(printed(guest, places.uri), guest, doors().files.staged_path)
    xml, tuned = _tuned(guest, xml, guests, places) if arguments.tune else (xml, [])
    if arguments.print_xml:
        print(xml, end="")
        return 0
    say("\n".join([*summary(guest), *_shown(tuned, details=arguments.details)]))
    if not consents(f"Make {guest.name}?", yes=arguments.yes):
        return 1
    _make(guest, xml, guests, places.root)
    say("\n".join(after(guest, places.uri, network_is_up=bool(is_up))))
    return 0


def _make(guest: Any, xml: str, guests: Any, root: Path) -> None:
    from vfiod.host.facts.boot import read_distribution
    from vfiod.tools.create.firmware import explained
    from vfiod.tools.create.make import make

    try:
        make(guest, xml, guests)
    except HostError as error:
        raise explained(error, guest, read_distribution(root)) from error


def _faults(guest: Any, guests: Any, root: Path, *, only_defined: bool) -> Sequence[VfiodError]:
    from vfiod.tools.create import checks

    if only_defined:
        return checks.find_faults_of_definition(guest, guests.names(), root)
    return [*checks.find_faults(guest, guests.names(), root), *checks.find_missing_tpm(guest)]


def _shown(changes: Sequence[Any], *, details: bool) -> Iterator[str]:
    """What was fitted, by name; a line for each part is more than somebody new can agree to."""
    if details:
        yield from (f"  {one.name}: {one.reason}" for one in changes)
    elif changes:
        names = dict.fromkeys(one.name for one in changes)
        yield f"  fitted to this host: {', '.join(names)} (what that is: --details)"


def _tuned(guest: Any, xml: str, guests: Any, places: Places) -> tuple[str, Sequence[Any]]:
    """The definition with all that vfiod tune would change, and what that is.

    But two threads that are shown as one core may be too few for an installer that counts cores.
    """
    from vfiod.guest import change as definition
    from vfiod.tools.tune import change
    from vfiod.tools.tune.findings import examine

    host = host_of(xml, guests.versions(), places, offered_by(guests, xml))
    least = guest.system.minimum.cpus
    found = examine(xml, host, without=("topology",) if 1 < least > guest.cpus // 2 else ())
    tuned = definition.edit(guest.name, xml, lambda root: change.apply(root, found.changes))
    return tuned.after, found.changes


def wanted(arguments: argparse.Namespace, places: Places) -> Any:
    """The guest that the command line, the host and the person describe.

    Raises ConfigError, and HostError for an image that does not tell its system.
    """
    from vfiod.host.facts.guest_firmware import read_guest_firmware
    from vfiod.tools.create.firmware import has_keys
    from vfiod.tools.create.make import writes_directly
    from vfiod.tools.create.osinfo import detect
    from vfiod.tools.create.request import CreateRequest
    from vfiod.tools.create.system import System

    devices = _devices(arguments, places)
    installer = arguments.iso.absolute()
    system = System(arguments.os_variant) if arguments.os_variant else detect(installer)
    disk = (arguments.disk_file or IMAGES / f"{arguments.guest}.qcow2").absolute()
    sizes = _sizes(arguments, system, disk.parent, places.root)
    return CreateRequest(
        name=arguments.guest,
        system=system,
        installer=installer,
        drivers=arguments.virtio_iso.absolute() if arguments.virtio_iso else None,
        disk=disk,
        disk_size=sizes.disk,
        memory=sizes.memory,
        cpus=sizes.cpus,
        direct=writes_directly(disk.parent),
        network=None if arguments.network == "user" else arguments.network,
        devices=devices,
        screen=not arguments.gpu,
        enrolled_keys=has_keys(read_guest_firmware(places.root)),
        secure_boot=system.needs_tpm if arguments.secure_boot is None else arguments.secure_boot,
    )


def _devices(arguments: argparse.Namespace, places: Places) -> Any:
    """Those that the configuration lists for it."""
    from vfiod.config.file import read_config_file

    configured = read_config_file(places.config).guests.get(arguments.guest)
    if arguments.gpu and configured is None:
        raise ConfigError(
            [f"--gpu gives the configured devices, and {places.config} lists none for this guest"]
        )
    return configured.devices if configured else ()


def _sizes(arguments: argparse.Namespace, system: Any, folder: Path, root: Path) -> Any:
    """What was given; for the rest what is proposed, or the person says to that."""
    from vfiod.cli.terminal import answer
    from vfiod.host.facts.cpu import read_topology
    from vfiod.host.facts.memory import read_memory
    from vfiod.tools.create.make import free_bytes
    from vfiod.tools.create.proposal import Sizes, propose
    from vfiod.tools.create.values import parse_count, parse_size, show_size

    best = propose(system, read_topology(root), read_memory(root).total, free_bytes(folder))
    ask = not (arguments.yes or arguments.print_xml)

    def chosen(given: int | None, what: str, proposal: int, shown: str, parse: Any) -> int:
        if given is not None:
            return given
        return answer(f"{what} [{shown}]: ", parse, proposal) if ask else proposal

    memory, disk = show_size(best.memory), show_size(best.disk)
    return Sizes(
        memory=chosen(arguments.memory, "Memory", best.memory, memory, parse_size),
        cpus=chosen(arguments.cpus, "CPUs", best.cpus, str(best.cpus), parse_count),
        disk=chosen(arguments.disk, "Disk, which grows to", best.disk, disk, parse_size),
    )


def _network(arguments: argparse.Namespace, *, is_up: bool | None) -> list[VfiodError]:
    if is_up is not None or arguments.network == "user":
        return []
    what = f"libvirt has no network {arguments.network}"
    return [
        HostError(
            what, "see: virsh --connect qemu:///system net-list --all\nor add: --network user"
        )
    ]
