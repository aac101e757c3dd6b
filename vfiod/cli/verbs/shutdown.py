"""vfiod shutdown: end a guest, from wherever one is; its end brings the display back."""

import argparse
from typing import Any


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "shutdown",
        help="ask a guest to shut down, or force it off",
        description="Ask a guest to shut down, so that the host gets its display back. With "
        "--force the guest ends at once, and what it has not saved is lost.",
    )
    verb.add_argument("guest", metavar="GUEST", help="name of the guest, as virsh lists it")
    verb.add_argument("--force", action="store_true", help="pull its plug")
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask the service, and polkit through it."""
    from vfiod.bus.connection import Bus
    from vfiod.cli.client import Client

    guest = arguments.guest
    Client(Bus()).shut_down_guest(guest, force=arguments.force)
    done = "is off" if arguments.force else "was asked to shut down"
    print(f"{guest} {done}. Its end brings the display back; see it with: vfiod status")
    return 0
