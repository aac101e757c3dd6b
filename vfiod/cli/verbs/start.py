"""vfiod start: start a guest from anywhere, also from the session that ends by it."""

import argparse
import os
import pwd
import shlex
from typing import TYPE_CHECKING, Any

from vfiod.errors import VfiodError

if TYPE_CHECKING:
    from vfiod.cli.client import Client
    from vfiod.handoff.decision.readiness import GuestFacts

COUNTDOWN = 10


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "start",
        help="start a guest, also from the session that ends by it",
        description="Start a guest from anywhere, also from the desktop that ends by it. THE "
        "DESKTOP ENDS, and what is not saved is lost: it says whose work that is and counts down "
        "first.",
    )
    verb.add_argument("guest", metavar="GUEST", help="name of the guest, as virsh lists it")
    verb.add_argument(
        "--in", dest="seconds", type=_seconds, metavar="SECONDS",
        help=f"count down first (default: {COUNTDOWN} if somebody's work ends, else 0)",
    )  # fmt: skip
    verb.add_argument("--no-wait", action="store_true", help="leave once the countdown runs")
    verb.add_argument("--ask", action="store_true", help="ask in a window first, as launchers do")
    verb.add_argument("--cancel", action="store_true", help="cancel the countdown instead")
    verb.set_defaults(run=run)


def _seconds(text: str) -> int:
    seconds = int(text)
    if not 0 <= seconds <= 3600:
        raise argparse.ArgumentTypeError("from 0 to 3600 seconds")
    return seconds


def run(arguments: argparse.Namespace) -> int:
    """Have the service start it: this program may be gone by then."""
    from vfiod.bus.connection import Bus
    from vfiod.cli.client import Client

    client = Client(Bus())
    if arguments.cancel:
        client.cancel_start(arguments.guest)
        print(f"Cancelled: {arguments.guest} was not started.")
        return 0
    if arguments.ask:
        return _ask(client, arguments)
    return _start(client, arguments, startable(client, arguments.guest))


def startable(client: "Client", name: str) -> "GuestFacts":
    """The guest. Raises UnknownGuest if there is none, Refused with what is against a start."""
    from vfiod.config.unknown import unknown_guest
    from vfiod.handoff.decision.readiness import load

    guests = load(client.guests())
    for facts in guests:
        if facts.name == name:
            facts.require_ready()
            return facts
    raise unknown_guest(name, ", ".join(facts.name for facts in guests))


def _start(client: "Client", arguments: argparse.Namespace, facts: "GuestFacts") -> int:
    from vfiod.cli import waiting
    from vfiod.cli.asking import whose_work_ends

    print("".join(f"{line}\n" for line in whose_work_ends(facts.people, me())), end="", flush=True)
    seconds = arguments.seconds
    if seconds is None:
        seconds = COUNTDOWN if facts.people and not arguments.ask else 0
    if arguments.no_wait:
        client.start_guest(facts.name, seconds=seconds)
        cancel = f"To cancel: vfiod start {shlex.quote(facts.name)} --cancel"
        print(cancel if seconds else f"{facts.name} starts now.")
        return 0
    with waiting.heard(client, facts.name) as outcome:
        return waiting.start(client, outcome, countdown=seconds)


def _ask(client: "Client", arguments: argparse.Namespace) -> int:
    """From a menu nobody sees what a program prints: whatever goes wrong is shown, too."""
    from vfiod.cli import dialog
    from vfiod.cli.asking import plain, question

    asker = dialog.find()
    try:
        facts = startable(client, arguments.guest)
        if not asker.ask(question(facts.name, facts.people, me()), yes=f"Start {facts.name}"):
            return 1
        return _start(client, arguments, facts)
    except VfiodError as error:
        asker.tell(plain(str(error)))
        raise


def me() -> str:
    """The name of this user."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"
