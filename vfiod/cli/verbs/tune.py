"""vfiod tune: what keeps a guest slow, as a change of its definition that is made on consent."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vfiod.cli.places import Places, here
from vfiod.errors import ConfigError, NotAuthorized
from vfiod.tools.tune.names import NAMES


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "tune",
        help="fit a guest to this host's processor, to be fast",
        description="Show what keeps a guest slow on this processor, and change its definition if "
        "you agree. Nothing ends; a guest that runs gets it at its next start.",
        epilog=f"NAME is one of: {', '.join(NAMES)}.\n"
        "exit status of --check: 0 if nothing is missing, 10 if something is",
    )
    verb.add_argument("guest", metavar="GUEST", help="name of the guest, as virsh lists it")
    way = verb.add_mutually_exclusive_group()
    way.add_argument("--check", action="store_true", help="only tell what is missing")
    way.add_argument("--dry-run", action="store_true", help="show the change, do not make it")
    way.add_argument("--revert", action="store_true", help="take the last tune back")
    way.add_argument("--json", action="store_true", help="print JSON and change nothing")
    verb.add_argument("--yes", action="store_true", help="make the change without asking")
    verb.add_argument("--details", action="store_true", help="explain each Hyper-V feature")
    for option, text in (("--only", "change nothing else"), ("--without", "leave this alone")):
        verb.add_argument(
            option, action="append", choices=NAMES, default=[], metavar="NAME", help=text
        )
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Look at a guest of this machine as any user, change it as one who may."""
    return run_at(arguments, here())


def run_at(arguments: argparse.Namespace, places: Places) -> int:
    """The verb with its places given."""
    from vfiod.cli import tune_session
    from vfiod.guest.backups import Backups
    from vfiod.guest.connection import Guests

    look = _look(arguments)
    may_change = _may_keep(places.backups)
    if arguments.revert and not may_change:
        raise NotAuthorized("only root may read the backups", again())
    guests = Guests(places.uri, read_only=look is not None or not may_change)
    asked = (arguments.guest, arguments.only, arguments.without)
    wanted = tune_session.Wanted(*asked, yes=arguments.yes, details=arguments.details)
    if arguments.revert:
        return tune_session.revert(wanted, guests, Backups(places.backups))
    xml = guests.definition(arguments.guest)
    host = host_of(xml, guests.versions(), places, offered_by(guests, xml))
    if look is not None:
        return look(wanted, xml, host)
    if not may_change:
        tune_session.show(wanted, xml, host)
        raise NotAuthorized("nothing was changed: only root may change a guest", again())
    return tune_session.tune(wanted, xml, host, guests, Backups(places.backups))


def _look(arguments: argparse.Namespace) -> Callable[..., int] | None:
    """What only shows, if that is asked for."""
    from vfiod.cli import tune_session

    looks = {
        "check": tune_session.check,
        "dry_run": tune_session.show,
        "json": tune_session.show_json,
    }
    return next((looks[option] for option in looks if getattr(arguments, option)), None)


def again() -> str:
    """How to run the same as root."""
    return f"run as root: sudo vfiod {shlex.join(sys.argv[1:])}"


def _may_keep(backups: Path) -> bool:
    """True if backups can be written, or the directory for them made."""
    there = next(folder for folder in (backups, *backups.parents) if folder.exists())
    return os.access(there, os.R_OK | os.W_OK | os.X_OK)


def offered_by(guests: Any, xml: str) -> frozenset[str] | None:
    """The Hyper-V features that libvirt says it can give this guest; None if it does not say."""
    from vfiod.guest import document
    from vfiod.guest.capabilities import read_hyperv

    root = document.read_tree(xml)
    kind = root.find("os/type")
    machine = {} if kind is None else kind.attrib
    told = guests.capabilities(
        root.findtext("devices/emulator"),
        machine.get("arch", "x86_64"),
        machine.get("machine", "q35"),
        root.get("type", "kvm"),
    )
    return None if told is None else read_hyperv(told)


def host_of(
    xml: str,
    versions: tuple[int, int],
    places: Places,
    hyperv: frozenset[str] | None = None,
) -> Any:
    """The host as far as this guest's speed is concerned.

    ``versions`` are libvirt's and QEMU's, ``hyperv`` what ``offered_by`` has found.
    """
    from vfiod.guest import domain
    from vfiod.tools.tune.host import read_host

    guest = domain.parse(xml)
    asked = _asked(guest.name, places.config)
    return read_host(guest.passed, versions, places.root, asked, hyperv)


def _asked(guest: str, config: Path) -> Any:
    """The guest's ``performance:``; a configuration that is wrong is told of elsewhere."""
    from vfiod.config.file import read_config_file

    try:
        found = read_config_file(config).guests.get(guest)
    except ConfigError:
        return None
    return found and found.performance
