"""vfiod plan: what a start of a guest would do now, or why it would be refused."""

import argparse
import json
import os
import shlex
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from vfiod.errors import Refused

if TYPE_CHECKING:
    from vfiod.handoff.decision.plan import Plan


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "plan",
        help="what a start would do now, or why it would be refused",
        description="Show the steps that a start of the guest would take now, and whose work would "
        "end, or every reason why it would be refused. Changes nothing and ends nothing.",
    )
    verb.add_argument("guest", metavar="GUEST", help="name of the guest, as virsh lists it")
    verb.add_argument("--json", action="store_true", help="print the steps as JSON")
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Decide as the daemon would, and print it."""
    from vfiod.cli.local import plan_for
    from vfiod.cli.terminal import say

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
        people = {"ends": list(decided.ends), "stays": list(decided.stays)}
        _print_json(arguments.guest, "steps", rows, **people)
    else:
        say("\n".join(as_lines(decided)))
    if os.geteuid() != 0:
        say("Some facts only root can read: who holds the card, private ROMs.", to=sys.stderr)
    return 0


def as_lines(decided: "Plan") -> Iterator[str]:
    """The plan in words, and what to do next."""
    yield f"A start of {decided.guest} would now:"
    yield from (f"{number:4}. {s.describe()}" for number, s in enumerate(decided.steps, 1))
    yield from (f"The work of {person} would end." for person in decided.ends)
    yield from (f"Services of {user} go on, and tmux among them." for user in decided.stays)
    yield from (f"Not done: {remark}" for remark in decided.remarks)
    yield "Next, try all of this without the guest (ends the desktop; what is not saved is lost):"
    yield f"  sudo vfiod rehearse {shlex.quote(decided.guest)}"


def _print_json(guest: str, key: str, rows: list[dict[str, str]], **more: list[str]) -> None:
    print(json.dumps({"guest": guest, key: rows, **more}, indent=2, ensure_ascii=False))
