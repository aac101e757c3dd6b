"""vfiod rehearse: a handoff and a return, without the guest in between."""

import argparse
import time
from typing import Any

BEFORE = """The desktop ends, the devices go to vfio-pci and come back at once.
If this terminal goes with the desktop, log in again and read the report:
  vfiod status
  sudo vfiod log --last"""
BEFORE_KEEPING = "What does not end the desktop is moved to vfio-pci and back."


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser("rehearse", help="hand the devices over and back without the guest")
    verb.add_argument("guest", metavar="GUEST", help="name of the guest, as virsh lists it")
    verb.add_argument(
        "--keep-desktop", action="store_true", help="leave out all that ends the desktop"
    )
    verb.add_argument("--yes", action="store_true", help="do not ask")
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Have the daemon do it, and judge what it took."""
    from vfiod.bus import Bus
    from vfiod.cli.client import Client
    from vfiod.cli.progress import shown
    from vfiod.cli.terminal import consents
    from vfiod.guest.connection import domain_xml

    xml = domain_xml(arguments.guest)
    print(BEFORE_KEEPING if arguments.keep_desktop else BEFORE)
    if not consents("Go on?", yes=arguments.yes or arguments.keep_desktop):
        return 1
    client = Client(Bus())
    began = time.monotonic()
    with shown(client):
        client.rehearse(arguments.guest, xml, keep_desktop=arguments.keep_desktop)
    seconds = time.monotonic() - began
    print(f"It works: there and back in {seconds:.1f} s.")
    print(f"Next, on trial: sudo vfiod try {arguments.guest}")
    return 0
