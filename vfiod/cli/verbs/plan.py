"""vfiod plan: what a start of a guest would do now, or why it would be refused."""

import argparse
import json
import os
import sys
from typing import Any

from vfiod.errors import Refused


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser("plan", help="the steps a start would take now; touches nothing")
    verb.add_argument("guest", metavar="GUEST", help="name of the guest, as virsh lists it")
    verb.add_argument("--json", action="store_true", help="print the steps as JSON")
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Decide as the daemon would, and print it."""
    from vfiod.cli.local import plan_for

    try:
        decided = plan_for(arguments.guest)
    except Refused as refused:
        if not arguments.json:
            raise
        reasons = [{"reason": r.message, "remedy": r.hint} for r in refused.reasons]
        _print_json(arguments.guest, "refused", reasons)
        return refused.exit_code
    steps = decided.steps
    if arguments.json:
        rows = [{"step": s.kind, "device": s.device, "does": s.describe()} for s in steps]
        _print_json(arguments.guest, "steps", rows, ends=list(decided.ends))
    else:
        print(f"A start of {arguments.guest} would now:")
        print("\n".join(f"{number:4}. {s.describe()}" for number, s in enumerate(steps, 1)))
        print("".join(f"The work of {person} would end.\n" for person in decided.ends), end="")
        print("".join(f"Not done: {remark}\n" for remark in decided.remarks), end="")
    if os.geteuid() != 0:
        print("Some facts only root can read: who holds the card, private ROMs.", file=sys.stderr)
    return 0


def _print_json(guest: str, key: str, rows: list[dict[str, str]], **more: list[str]) -> None:
    print(json.dumps({"guest": guest, key: rows, **more}, indent=2, ensure_ascii=False))
