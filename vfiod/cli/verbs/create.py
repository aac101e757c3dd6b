"""vfiod create: make a guest through virt-install, ready for its installer."""

import argparse
from pathlib import Path
from typing import Any

from vfiod.cli.verbs.tune import Places, host_of
from vfiod.errors import ConfigError, HostError, Refused, VfiodError

IMAGES = Path("/var/lib/libvirt/images")


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
    verb.add_argument("--print-xml", action="store_true", help="print the definition, make nothing")
    verb.add_argument("--yes", action="store_true", help="make it without asking")
    verb.set_defaults(run=run)


def _add_machine(verb: argparse.ArgumentParser) -> None:
    """What the guest is made of."""
    from vfiod.tools.create.values import parse_size

    verb.add_argument(
        "--virtio-iso", metavar="FILE", type=Path, help="the CD image with Windows' virtio drivers"
    )
    size = _checked(parse_size)
    verb.add_argument("--disk", metavar="SIZE", type=size, required=True, help="like 100G")
    verb.add_argument("--memory", metavar="SIZE", type=size, required=True, help="like 8G")
    verb.add_argument("--cpus", metavar="NUMBER", type=int, required=True, help="like 6")
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
    from vfiod.guest.connection import URI, Guests
    from vfiod.paths import BACKUPS, CONFIG

    places = Places(Path("/"), CONFIG, BACKUPS, URI)
    return run_at(arguments, Guests(URI), places)


def run_at(arguments: argparse.Namespace, guests: Any, places: Places) -> int:
    """The verb with its places given. Raises Refused before anything is made."""
    from vfiod.cli.local import doors
    from vfiod.cli.terminal import consents, say
    from vfiod.tools.create.checks import find_faults, find_missing_tpm
    from vfiod.tools.create.definition import complete
    from vfiod.tools.create.make import make, printed
    from vfiod.tools.create.render import after, summary

    guest = wanted(arguments, places.config)
    is_up = guests.network_is_up(arguments.network)
    faults = [*find_faults(guest, guests.names()), *_network(arguments, is_up=is_up)]
    if not arguments.print_xml:
        faults += find_missing_tpm(guest)
    if faults:
        raise Refused(faults, heading="nothing was made")
    xml = complete(printed(guest, places.uri), guest, doors().files.staged_path)
    xml, tuned = _tuned(guest.name, xml, guests, places) if arguments.tune else (xml, [])
    if arguments.print_xml:
        print(xml, end="")
        return 0
    say("\n".join([*summary(guest), *tuned]))
    if not consents(f"Make {guest.name}?", yes=arguments.yes):
        return 1
    make(guest, xml, guests)
    say("\n".join(after(guest, places.uri, network_is_up=bool(is_up))))
    return 0


def _tuned(name: str, xml: str, guests: Any, places: Places) -> tuple[str, list[str]]:
    """The definition with all that vfiod tune would change, and a line for each."""
    from vfiod.guest import change as definition
    from vfiod.tools.tune import change
    from vfiod.tools.tune.findings import examine

    found = examine(xml, host_of(xml, guests.versions(), places))
    tuned = definition.edit(name, xml, lambda root: change.apply(root, found.changes))
    return tuned.after, [f"  {one.name}: {one.reason}" for one in found.changes]


def wanted(arguments: argparse.Namespace, config: Path) -> Any:
    """The guest that the command line describes. Raises ConfigError."""
    from vfiod.config.file import read_config_file
    from vfiod.tools.create.osinfo import detect
    from vfiod.tools.create.request import CreateRequest
    from vfiod.tools.create.system import System

    configured = read_config_file(config).guests.get(arguments.guest)
    if arguments.gpu and configured is None:
        raise ConfigError(
            [f"--gpu gives the configured devices, and {config} lists none for this guest"]
        )
    installer = arguments.iso.absolute()
    system = System(arguments.os_variant) if arguments.os_variant else detect(installer)
    return CreateRequest(
        name=arguments.guest,
        system=system,
        installer=installer,
        drivers=arguments.virtio_iso.absolute() if arguments.virtio_iso else None,
        disk=(arguments.disk_file or IMAGES / f"{arguments.guest}.qcow2").absolute(),
        disk_size=arguments.disk,
        memory=arguments.memory,
        cpus=arguments.cpus,
        network=None if arguments.network == "user" else arguments.network,
        devices=configured.devices if configured else (),
        screen=not arguments.gpu,
        secure_boot=system.needs_tpm if arguments.secure_boot is None else arguments.secure_boot,
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
