"""vfiod guests: the guests that the configuration names, and whether each could start now."""

import argparse
from typing import Any


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "guests",
        help="the configured guests, and whether each could start",
        description="Show what libvirt says of each configured guest, whether it could start now, "
        "and whose work would end. Nothing is changed.",
    )
    verb.add_argument("--json", action="store_true", help="print it as JSON")
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask the service, which sees more of the host than this user may."""
    from vfiod.bus.connection import Bus
    from vfiod.cli.client import Client
    from vfiod.handoff.decision.readiness import load

    text = Client(Bus()).guests()
    if arguments.json:
        print(text)
        return 0
    guests = load(text)
    print("\n".join(_told(facts) for facts in guests) or "The configuration names no guest.")
    return 0


def _told(facts: Any) -> str:
    from vfiod.handoff.decision.readiness import shown

    lines = [f"{facts.name}: {facts.state}" if facts.state else f"{facts.name}:"]
    if not facts.reasons:
        lines.append("  could start now")
    for reason, remedy in facts.reasons:
        lines.append(f"  {reason}")
        lines += [f"    {remedy}"] if remedy else []
    lines += [f"  would end the work of {shown(person)}" for person in facts.people]
    return "\n".join(lines)
