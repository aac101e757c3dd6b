"""vfiod rehearse: a handoff and a return, without the guest in between."""

import argparse
import shlex
import time
from typing import Any

WHAT = "{guest} is not started: its devices go to vfio-pci and come back at once."
WHAT_KEEPING = "What does not end the desktop is moved to vfio-pci and back."
NEXT = """\
It works: there and back in {seconds:.1f} s.
Next, start it on trial: after a time it is ended again, unless it is confirmed:
  sudo vfiod try {guest}"""
NEXT_WHOLE = """\
It works, as far as the desktop could stay: there and back in {seconds:.1f} s.
Next, all of it (ends the desktop; what is not saved is lost):
  sudo vfiod rehearse {guest}"""


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "rehearse",
        help="there and back without the guest; ends the desktop",
        description="Hand the devices over and take them back at once, without the guest, and say "
        "how long it took. THE DESKTOP ENDS, as at a real start, and what is not saved is lost; "
        "it asks first.",
    )
    verb.add_argument("guest", metavar="GUEST", help="name of the guest, as virsh lists it")
    verb.add_argument(
        "--keep-desktop", action="store_true", help="leave out all that ends the desktop"
    )
    verb.add_argument("--yes", action="store_true", help="do not ask")
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Have the daemon do it, and judge what it took. Exit status 1 without consent."""
    from vfiod.bus.connection import Bus
    from vfiod.cli.client import Client
    from vfiod.cli.progress import shown
    from vfiod.cli.terminal import say
    from vfiod.guest.connection import domain_xml

    xml = domain_xml(arguments.guest)
    if not _agreed(arguments):
        return 1
    client = Client(Bus())
    began = time.monotonic()
    with shown(client):
        client.rehearse(arguments.guest, xml, keep_desktop=arguments.keep_desktop)
    following = NEXT_WHOLE if arguments.keep_desktop else NEXT
    guest = shlex.quote(arguments.guest)
    say(following.format(seconds=time.monotonic() - began, guest=guest))
    return 0


def _agreed(arguments: argparse.Namespace) -> bool:
    """Ask only for what may be begun at all, and not where nothing is lost."""
    from vfiod.cli.ready import require_idle, warning
    from vfiod.cli.terminal import consents, say

    if arguments.keep_desktop:
        require_idle()
        say(WHAT_KEEPING)
        return True
    say(warning(arguments.guest, WHAT.format(guest=arguments.guest)))
    return consents("Go on?", yes=arguments.yes)
