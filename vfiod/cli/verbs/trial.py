"""vfiod try, vfiod keep: start a guest on trial, and confirm that it may stay.

The trial is a timer of systemd's: it outlives the desktop, this program and the daemon.
"""

import argparse
import sys
from typing import Any

from vfiod.cli.verbs.arguments import read_endpoint
from vfiod.errors import VfiodError
from vfiod.paths import PROGRAM

UNIT = "vfiod-trial"
SHUTDOWN_SECONDS = 30


def add(verbs: Any) -> None:
    """Declare both verbs."""
    verb = verbs.add_parser("try", help="start a guest that is ended again unless confirmed")
    verb.add_argument("guest", metavar="GUEST", help="name of the guest, as virsh lists it")
    verb.add_argument(
        "--for", dest="seconds", type=float, default=120, metavar="SECONDS",
        help="how long it may take to confirm it (default: 120)",
    )  # fmt: skip
    verb.add_argument(
        "--port", type=read_endpoint, metavar="HOST:PORT",
        help="it is confirmed, too, if its system accepts a connection there",
    )  # fmt: skip
    verb.set_defaults(run=run_try)
    verb = verbs.add_parser("keep", help="confirm a guest that was started on trial")
    verb.set_defaults(run=run_keep)


def run_try(arguments: argparse.Namespace) -> int:
    """Set the timer first: the desktop and this program end before the guest runs."""
    from vfiod.guest.connection import start
    from vfiod.tools.trial import begin, cancel

    ending = ["return", "--shutdown", str(SHUTDOWN_SECONDS), "--unless-answering"]
    port = arguments.port
    ending += ["--port", str(port)] if port else []
    begin(UNIT, [PROGRAM, *ending], seconds=arguments.seconds)
    print(
        f"{arguments.guest} starts now. In {arguments.seconds:g} s it is shut down and the "
        f"display comes back,\nunless its guest agent {f'or {port} ' if port else ''}answers, "
        "or somebody says: sudo vfiod keep",
        flush=True,
    )
    try:
        start(arguments.guest)
    except VfiodError:
        cancel(UNIT)
        raise
    return 0


def run_keep(_: argparse.Namespace) -> int:
    """Stop the timer."""
    from vfiod.tools.trial import cancel

    if not cancel(UNIT):
        print("No guest is on trial.", file=sys.stderr)
        return 1
    print("Confirmed: the guest stays.")
    return 0
