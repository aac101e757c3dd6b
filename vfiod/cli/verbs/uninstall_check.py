"""vfiod uninstall-check: what is still vfiod's on this host, and what takes it away."""

import argparse
import json
import os
import sys
from dataclasses import asdict
from typing import Any


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "uninstall-check",
        help="what is still vfiod's on this host, before it is removed",
        description="List what of vfiod is on this host beside the package's own files, and what "
        "takes it away. Changes nothing.",
        epilog="exit status: 0 if there is nothing, 1 if there is something",
    )
    verb.add_argument("--json", action="store_true", help="print it as JSON")
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 if there is nothing, 1 if there is something."""
    from vfiod.cli.terminal import say
    from vfiod.tools import remains

    found = remains.read()
    if os.geteuid() != 0:
        print("Guests and backups only root can see: sudo vfiod uninstall-check", file=sys.stderr)
    if arguments.json:
        print(json.dumps([asdict(remain) for remain in found], indent=2))
    elif not found:
        seen = "" if os.geteuid() == 0 else " that you may see"
        say(f"Nothing on this host{seen} is vfiod's beside the package itself.")
    else:
        for remain in found:
            say(f"{remain.path}\n   {remain.what}\n   run: {remain.remedy}")
    return 1 if found else 0
