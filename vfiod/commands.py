"""What each verb of the command line does. Heavy imports wait until a verb needs them."""

import argparse
import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vfiod.errors import Busy, Refused, VfiodError


def run_daemon(_: argparse.Namespace) -> int:
    """vfiod daemon."""
    from vfiod.daemon import main

    return main()


def show_status(arguments: argparse.Namespace) -> int:
    """vfiod status."""
    from vfiod.bus import Bus
    from vfiod.client import Client

    facts = Client(Bus()).status()
    print(json.dumps(facts, indent=2, ensure_ascii=False) if arguments.json else _told(facts))
    return 7 if facts["phase"] == "stuck" else 0


def show_plan(arguments: argparse.Namespace) -> int:
    """vfiod plan GUEST."""
    from vfiod.offline import plan_for

    try:
        steps = plan_for(arguments.guest).steps
    except Refused as refused:
        if arguments.json:
            reasons = [{"reason": r.message, "remedy": r.hint} for r in refused.reasons]
            print(json.dumps({"guest": arguments.guest, "refused": reasons}, indent=2))
            return refused.exit_code
        raise
    if arguments.json:
        rows = [{"step": s.kind, "device": s.device, "does": s.describe()} for s in steps]
        print(json.dumps({"guest": arguments.guest, "steps": rows}, indent=2, ensure_ascii=False))
    else:
        print(f"A start of {arguments.guest} would now:")
        print("\n".join(f"{number:4}. {s.describe()}" for number, s in enumerate(steps, 1)))
    if os.geteuid() != 0:
        print("Some facts only root can read: who holds the card, private ROMs.", file=sys.stderr)
    return 0


def check_config(arguments: argparse.Namespace) -> int:
    """vfiod check-config [FILE]."""
    from vfiod.config import normalised
    from vfiod.daemon import CONFIG
    from vfiod.offline import read_config_file

    print(normalised(read_config_file(Path(arguments.file or CONFIG))), end="")
    return 0


def take_back(arguments: argparse.Namespace) -> int:
    """vfiod return [--destroy]."""
    from vfiod.bus import Bus
    from vfiod.client import Client

    client = Client(Bus())
    guest = client.status()["guest"]
    if guest is None:
        print("The host has its display; there is nothing to take back.")
        return 0
    client.on_progress(lambda message: print(message, flush=True))
    with _main_loop_beside():
        if arguments.destroy:
            from vfiod.guests import destroy

            print(f"Stopping {guest} …", flush=True)
            destroy(guest)
        _take_back_when_free(client, wait=arguments.destroy)
    print("The host has its display back.")
    return 0


def _take_back_when_free(client: Any, *, wait: bool) -> None:
    """After a destroy the kernel may need a moment to release the devices."""
    try:
        client.take_back()
    except Busy:
        if not wait:
            raise
        client.take_back()


@contextmanager
def _main_loop_beside() -> Iterator[None]:
    """Signals of the bus arrive only while a main loop runs; it ends before Python does."""
    from gi.repository import GLib

    loop = GLib.MainLoop()
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        yield
    finally:
        # From inside the loop: quitting one that has not begun to run yet would be lost.
        GLib.idle_add(loop.quit)
        thread.join()


def _told(facts: dict[str, Any]) -> str:
    guest = facts["guest"]
    heads = {
        "host": "The host has its display.",
        "handoff": f"The devices are on their way to {guest}.",
        "prepared": f"{guest} has the devices and is being started.",
        "guest": f"{guest} has the devices.",
        "return": f"The devices are on their way back from {guest}.",
        "stuck": f"STUCK after {guest}: something could not be given back.",
    }
    lines = [heads[facts["phase"]]]
    if facts["seconds"] is not None:
        lines[0] += f" ({facts['seconds']:g} s)"
    lines += [
        f"  {d['address']}  {d.get('fault') or (d['driver'] or 'no driver')}"
        f"  {d['owner'] or ''}".rstrip()
        for d in facts["devices"]
    ]
    lines += [f"  done: {step['does']}" for step in facts["journal"]]
    lines += [f"  FAULT: {fault}" for fault in facts["faults"]]
    if facts["last"]:
        lines.append(f"Last: {facts['last']['message']}")
    return "\n".join(lines)


def report_error(error: VfiodError) -> int:
    """Tell a person what went wrong, one line each, and give the exit status."""
    reasons = error.reasons if isinstance(error, Refused) else (error,)
    if isinstance(error, Refused):
        print("vfiod: a start would be refused:", file=sys.stderr)
    for reason in reasons:
        print(f"vfiod: {reason.message}", file=sys.stderr)
        if reason.hint:
            print(f"       {reason.hint}", file=sys.stderr)
    return error.exit_code
