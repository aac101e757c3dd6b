"""vfiod daemon: what vfiod.service runs."""

import argparse
from typing import Any


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "daemon",
        help="what vfiod.service runs",
        description="Run the daemon until SIGTERM. vfiod.service does this; nobody has to type it.",
    )
    verb.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Run until SIGTERM."""
    from vfiod.daemon.main import main

    return main()
