"""vfiod status: who has the devices, and what is under way."""

import argparse
import json
import shlex
from collections.abc import Sequence
from typing import Any

from vfiod.errors import ConfigError, Stuck

HEADS = {
    "host": "The host has its display.",
    "handoff": "The devices are on their way to {guest}.",
    "prepared": "{guest} has the devices and is being started.",
    "guest": "{guest} has the devices.",
    "return": "The devices are on their way back from {guest}.",
    "stuck": "STUCK after {guest}: not everything has come back.",
}


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "status",
        help="who has the devices, and what is under way",
        description="Say who has the devices and what is under way; if something is stuck, what is "
        "dark, why, and what to do. Changes nothing.",
        epilog="exit status: 7 if something is stuck",
    )
    verb.add_argument("--json", action="store_true", help="print facts as JSON")
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask the daemon; exit status 7 if something is stuck, 3 if the configuration is wrong."""
    from vfiod.bus.connection import Bus
    from vfiod.cli.client import Client
    from vfiod.cli.terminal import say

    facts = Client(Bus()).status()
    if arguments.json:
        print(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        say(as_text(facts))
    if facts["phase"] == "stuck":
        return Stuck.exit_code
    return ConfigError.exit_code if facts["faults"] else 0


def as_text(facts: dict[str, Any]) -> str:
    """The state in words, what is wrong before the details."""
    lines = [head(facts)]
    if facts["seconds"] is not None:
        lines[0] = f"{lines[0].rstrip('.')}, for {facts['seconds']:g} s."
    faults = [*facts["faults"], *away(facts), *looking(facts)]
    lines += [f"  {line}" for fault in faults for line in fault.splitlines()]
    if start := facts.get("start"):
        cancel = f"vfiod start {shlex.quote(start['guest'])} --cancel"
        lines.append(f"{start['guest']} is about to start; to cancel: {cancel}")
    if facts["phase"] == "host" and (guest := facts.get("starting")):
        lines.append(f"{guest} is being started.")
    lines += _devices(facts["devices"])
    lines += [f"  done: {step['does']}" for step in facts["journal"]]
    if facts["last"] and facts["phase"] != "stuck":
        first, *more = facts["last"]["message"].splitlines()
        lines += [f"Last: {first}", *(f"  {line}" for line in more)]
    return "\n".join(lines)


def head(facts: dict[str, Any]) -> str:
    """The state in one sentence; without a handoff only as much as was seen."""
    if facts["phase"] == "host" and away(facts):
        return "No handoff is under way, but:"
    if facts["phase"] == "host" and facts["faults"]:
        return "No handoff is under way."  # a wrong configuration tells of no device
    return HEADS[facts["phase"]].format(guest=facts["guest"])


def away(facts: dict[str, Any]) -> Sequence[str]:
    """For what the screen may be dark without a handoff; a daemon before it tells of none."""
    found: Sequence[str] = facts.get("away", ())
    return found


def looking(facts: dict[str, Any]) -> Sequence[str]:
    """What is not known yet after a return; a daemon before it tells of none."""
    return list(filter(None, [facts.get("looking", "")]))


def _devices(devices: Sequence[dict[str, Any]]) -> list[str]:
    """One line a device, in columns."""
    states = [device.get("fault") or device["driver"] or "no driver" for device in devices]
    room = max(
        (len(state) for state, d in zip(states, devices, strict=True) if d["owner"]), default=0
    )
    return [
        f"  {device['address']}  {state:{room}}  {device['owner'] or ''}".rstrip()
        for state, device in zip(states, devices, strict=True)
    ]
