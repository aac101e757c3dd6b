"""vfiod try, vfiod keep: start a guest on trial, and confirm that it may stay.

The trial is a timer of systemd's: it outlives the desktop, this program and the daemon.
"""

import argparse
import sys
from typing import Any

from vfiod.cli.verbs.arguments import read_endpoint, read_seconds
from vfiod.errors import VfiodError
from vfiod.host.commands import OF, TRIAL
from vfiod.paths import PROGRAM

SHUTDOWN_SECONDS = 30


def add(verbs: Any) -> None:
    """Declare both verbs."""
    verb = verbs.add_parser(
        "try",
        help="start a guest that is ended again unless confirmed; ends the desktop",
        description="Start a guest on trial: after a time it is shut down and the display comes "
        "back, unless it is confirmed (sudo vfiod keep). THE DESKTOP ENDS, as at any start, and "
        "what is not saved is lost; it asks first.",
    )
    verb.add_argument("guest", metavar="GUEST", help="name of the guest, as virsh lists it")
    verb.add_argument(
        "--for", dest="seconds", type=read_seconds, default=120, metavar="SECONDS",
        help="how long it may take to confirm it (default: 120)",
    )  # fmt: skip
    verb.add_argument(
        "--port", type=read_endpoint, metavar="HOST:PORT",
        help="it is confirmed, too, if its system accepts a connection there",
    )  # fmt: skip
    verb.add_argument("--yes", action="store_true", help="do not ask")
    verb.set_defaults(run=run_try)
    verb = verbs.add_parser(
        "keep",
        help="confirm a guest that was started on trial",
        description="Confirm the guest that is on trial: it stays. Ends nothing.",
    )
    verb.add_argument(
        "--for", dest="seconds", type=read_seconds, default=0, metavar="SECONDS",
        help="let the trial end so long from now, at most 86400; 0, as without it: never",
    )  # fmt: skip
    verb.set_defaults(run=run_keep)


def run_try(arguments: argparse.Namespace) -> int:
    """Set the timer first: the desktop and this program end before the guest runs.

    Exit status 1 without consent.
    """
    from vfiod.cli.ready import require_idle, warning
    from vfiod.cli.terminal import consents, say
    from vfiod.guest.connection import start
    from vfiod.tools.trial import begin, cancel

    say(warning(arguments.guest, what(arguments)))
    if not consents("Start it?", yes=arguments.yes):
        return 1
    ending = ["return", "--shutdown", str(SHUTDOWN_SECONDS), "--unless-answering"]
    ending.append(f"{OF}{arguments.guest}")
    port = arguments.port
    ending += ["--port", str(port)] if port else []
    require_idle()  # the answer may have taken its time
    begin(TRIAL, [PROGRAM, *ending], seconds=arguments.seconds)
    say(f"{arguments.guest} starts now.")
    try:
        start(arguments.guest)
    except VfiodError:
        cancel(TRIAL)
        raise
    return 0


def what(arguments: argparse.Namespace) -> str:
    """What is about to happen."""
    port = f"or {arguments.port} " if arguments.port else ""
    return (
        f"{arguments.guest} is started. In {arguments.seconds:g} s it is shut down and the display "
        f"comes back, unless its guest agent {port}answers by then, or somebody says, from ssh or "
        "another computer:\n  sudo vfiod keep"
    )


def run_keep(arguments: argparse.Namespace) -> int:
    """Stop the timer, or set it anew, as the service does for whoever may."""
    from vfiod.cli.terminal import say
    from vfiod.tools.trial import confirm

    if arguments.seconds:
        return _extend(round(arguments.seconds) or 1)
    if not confirm(TRIAL):
        return _say_there_is_none()
    say("Confirmed: the guest stays.")
    return 0


def _extend(seconds: int) -> int:
    from vfiod.bus.connection import Bus
    from vfiod.cli.client import Client
    from vfiod.cli.terminal import say

    guest = Client(Bus()).extend_trial(seconds)
    if guest is None:
        return _say_there_is_none()
    say(f"{guest} is on trial for {seconds} s more. To confirm it: sudo vfiod keep")
    return 0


def _say_there_is_none() -> int:
    from vfiod.cli.terminal import say

    say("vfiod: no guest is on trial\n  what is under way: vfiod status", to=sys.stderr)
    return 1
