"""vfiod status: who has the devices, and what is under way."""

import argparse
import json
from typing import Any

HEADS = {
    "host": "The host has its display.",
    "handoff": "The devices are on their way to {guest}.",
    "prepared": "{guest} has the devices and is being started.",
    "guest": "{guest} has the devices.",
    "return": "The devices are on their way back from {guest}.",
    "stuck": "STUCK after {guest}: something could not be given back.",
}
CANCEL = "vfiod start {guest} --cancel"


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser("status", help="who has the devices, and what is under way")
    verb.add_argument("--json", action="store_true", help="print facts as JSON")
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask the daemon; exit status 7 if something is stuck."""
    from vfiod.bus import Bus
    from vfiod.cli.client import Client

    facts = Client(Bus()).status()
    print(json.dumps(facts, indent=2, ensure_ascii=False) if arguments.json else as_text(facts))
    return 7 if facts["phase"] == "stuck" else 0


def as_text(facts: dict[str, Any]) -> str:
    """The state in words."""
    lines = [HEADS[facts["phase"]].format(guest=facts["guest"])]
    if facts["seconds"] is not None:
        lines[0] += f" ({facts['seconds']:g} s)"
    if start := facts.get("start"):
        lines.append(f"{start['guest']} is about to start; to cancel: {CANCEL.format(**start)}")
    lines += [_device(device) for device in facts["devices"]]
    lines += [f"  done: {step['does']}" for step in facts["journal"]]
    lines += [f"  FAULT: {fault}" for fault in facts["faults"]]
    if facts["last"]:
        lines.append(f"Last: {facts['last']['message']}")
    return "\n".join(lines)


def _device(device: dict[str, Any]) -> str:
    state = device.get("fault") or device["driver"] or "no driver"
    return f"  {device['address']}  {state}  {device['owner'] or ''}".rstrip()
