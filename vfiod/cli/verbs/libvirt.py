"""vfiod libvirt: what the service has done by a process of its own; answers in JSON."""

import argparse
import json
from typing import Any

from vfiod.errors import VfiodError

LOOK, START, SHUTDOWN, DESTROY = "look", "start", "shutdown", "destroy"


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "libvirt",
        help="run by the service, which never calls libvirt itself",
        description="Look at guests, start or end one, for the service; answers in JSON.",
    )
    verb.add_argument("what", choices=(LOOK, START, SHUTDOWN, DESTROY))
    verb.add_argument("guest", metavar="GUEST", nargs="?", help="whom to start or to end")
    verb.set_defaults(run=run, wrong=verb.error)


def run(arguments: argparse.Namespace) -> int:
    """Do it and print the result, or the error with its name: that is for the service to tell."""
    if (arguments.what == LOOK) != (arguments.guest is None):
        arguments.wrong("a guest goes with all but look")
    try:
        answer = {"result": _do(arguments.what, arguments.guest)}
    except VfiodError as error:
        answer = {"error": error.dbus_name, "message": error.message, "hint": error.hint}
    print(json.dumps(answer, ensure_ascii=False))
    return 0


def _do(what: str, guest: str) -> Any:
    from vfiod.guest import connection, ending

    if what == LOOK:
        from vfiod.cli.local import guests_now
        from vfiod.handoff.decision.readiness import dump

        return json.loads(dump(guests_now()))
    doers = {
        START: connection.start,
        SHUTDOWN: ending.ask_to_shut_down,
        DESTROY: ending.destroy,
    }
    return doers[what](guest)
