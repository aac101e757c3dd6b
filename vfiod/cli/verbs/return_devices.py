"""vfiod return: take the devices back now."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from vfiod.cli.verbs.arguments import read_endpoint, read_seconds
from vfiod.errors import Busy, HostError, Refused, UnknownGuest, VfiodError


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "return",
        help="take the devices back now, from a guest or after something got stuck",
        description="Take the devices back for the host. A guest that runs keeps them, unless it "
        "is ended first: --shutdown asks it to, --destroy pulls its plug, and what it has not "
        "saved is lost.",
    )
    how = verb.add_mutually_exclusive_group()
    how.add_argument("--destroy", action="store_true", help="stop the guest first, hard")
    how.add_argument(
        "--shutdown", type=read_seconds, metavar="SECONDS",
        help="shut the guest down first; what has not ended by then is stopped hard",
    )  # fmt: skip
    verb.add_argument("--from", dest="guest", metavar="GUEST", help="do nothing for another guest")
    verb.add_argument(
        "--unless-answering", action="store_true",
        help="leave a guest alone whose guest agent answers",
    )  # fmt: skip
    verb.add_argument(
        "--port", type=read_endpoint, metavar="HOST:PORT",
        help="the same, also if its system accepts a connection there",
    )  # fmt: skip
    verb.add_argument(
        "--force", action="store_true", help="reset devices once more if they are stuck"
    )
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask the daemon and show its progress."""
    from vfiod.bus.connection import Bus
    from vfiod.cli.client import Client
    from vfiod.cli.progress import shown
    from vfiod.cli.terminal import say
    from vfiod.cli.verbs.status import looking

    client = Client(Bus())
    facts = client.status()
    guest = facts["guest"]
    if guest is None:
        say(_nothing(facts))
        return 0
    if arguments.guest not in (None, guest):
        say(f"{guest} has the devices, not {arguments.guest}: nothing is done.")
        return 0
    asked = arguments.unless_answering or arguments.port is not None
    if asked and _answers(guest, arguments):
        say(f"{guest} answers: it keeps the devices.")
        return 0
    with shown(client):
        failed = _end(guest, arguments, client)
        try:
            _take_back_when_free(client, arguments)
        except Busy as busy:
            raise failed or busy from None
    say(_with("The host has its display back.", looking(client.status())))
    return 0


def _nothing(facts: dict[str, Any]) -> str:
    """Why nothing is taken back, and what may keep the screen dark all the same."""
    from vfiod.cli.verbs.status import away, looking

    if found := away(facts):
        return _with("No handoff is under way: there is nothing to take back. But:", found)
    if facts["faults"]:
        return "No handoff is under way: there is nothing to take back."
    return _with("The host has its display; there is nothing to take back.", looking(facts))


def _with(text: str, more: Sequence[str]) -> str:
    return "\n".join([text, *(f"  {line}" for told in more for line in told.splitlines())])


def _answers(guest: str, arguments: argparse.Namespace) -> bool:
    from vfiod.guest.connection import answers

    return answers(guest) or (arguments.port is not None and arguments.port.answers())


def _end(guest: str, arguments: argparse.Namespace, client: Any) -> VfiodError | None:
    """A libvirt that is away, or knows no such guest, keeps nobody from asking for the devices.

    The service ends the guest then, but one that libvirt does not know only by --destroy: it has
    had no time. It gives none back that the guest still has. Returns why it has.
    """
    from vfiod.cli.terminal import say

    try:
        _ask_to_end(guest, arguments)
    except (HostError, UnknownGuest) as error:
        say(f"vfiod: {error}", to=sys.stderr)
        if isinstance(error, UnknownGuest) and not arguments.destroy:
            return error  # its time to shut down has not begun
        return _force_off(guest, client)
    return None


def _force_off(guest: str, client: Any) -> VfiodError | None:
    from vfiod.cli.terminal import say

    say(f"libvirt did not end {guest}: its QEMU is ended without it …")
    try:
        client.force_off(guest)
    except Refused:  # it has ended by itself, or is not seen: who is told by the devices' return
        return None
    except VfiodError as error:
        return error
    return None


def _ask_to_end(guest: str, arguments: argparse.Namespace) -> None:
    from vfiod.cli.terminal import say
    from vfiod.guest import ending

    if arguments.destroy:
        say(f"Stopping {guest} …")
        ending.destroy(guest)
    elif arguments.shutdown is not None:
        say(f"Shutting {guest} down, for at most {arguments.shutdown:g} s …")
        ending.shut_down(guest, seconds=arguments.shutdown, say=say)


def _take_back_when_free(client: Any, arguments: argparse.Namespace) -> None:
    """After the guest's end the kernel may need a moment to release the devices."""
    try:
        client.return_devices(force=arguments.force)
    except Busy:
        if not arguments.destroy and arguments.shutdown is None:
            raise
        client.return_devices(force=arguments.force)
