"""vfiod session: what a guest's entry in the login screen runs."""

import argparse
import os
import pwd
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vfiod.errors import HostError, NotAuthorized, UnknownGuest, VfiodError

if TYPE_CHECKING:
    from vfiod.bus.connection import Bus
    from vfiod.cli.client import Client
    from vfiod.cli.stage import Stage
    from vfiod.handoff.decision.readiness import GuestFacts

STARTING = """\
{guest} gets the screen, which is dark meanwhile. When {guest} ends, the login screen comes back."""
# logind may still be switching to this session; polkit asks it who is at the screen.
_ACTIVE_SECONDS, _PAUSE = 10.0, 0.1


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "session",
        help="run by a guest's entry in the login screen",
        description="Start a guest from the login screen, as its entry there does: have your "
        "desktop proposed there again, and start the guest, unless the session began by itself.",
    )
    verb.add_argument("guest", metavar="GUEST", nargs="?", help="name or UUID of the guest")
    verb.add_argument("--propose", metavar="SESSION", help="only the former, as the service does")
    verb.add_argument("--user", metavar="UID", type=int, help="for whom, with --propose")
    verb.set_defaults(run=run, wrong=verb.error)


def run(arguments: argparse.Namespace) -> int:
    """Start the guest, or do the service's part of it."""
    if arguments.propose is not None and arguments.user is not None:
        return propose(arguments.propose, arguments.user)
    if arguments.guest is None:
        arguments.wrong("it takes GUEST, or --propose with --user")
    from vfiod.cli import stage

    return shown(stage.find(), arguments.guest)


def propose(name: str, uid: int) -> int:
    """As root: have login screens propose a desktop to this user instead of a guest's entry."""
    from vfiod.bus.connection import Bus
    from vfiod.host.facts.loginscreen import read_sessions
    from vfiod.tools.session import proposal
    from vfiod.tools.session.usual import Usual, choose

    if os.geteuid() != 0:
        raise NotAuthorized("only root may change what the login screen keeps")
    sessions = read_sessions()
    name, _, kind = name.partition(":")
    wanted = choose(Usual(name, kind) if name else None, sessions)
    proposal.in_files(_name_of(uid), wanted)
    proposal.in_accounts(Bus(), uid, wanted)
    return 0


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def shown(stage: "Stage", guest: str) -> int:
    """Start it, and show what goes wrong: there, or at the next login, and in the journal."""
    try:
        return start(stage, guest)
    except VfiodError as error:
        text = f"{error.heading}: {error}" if error.heading else str(error)
        _log(text)
        if not stage.halt(text):
            from vfiod.cli.telling import LEFT
            from vfiod.util import userstate

            userstate.write(LEFT, text)
        raise
    finally:
        stage.close()


def _log(text: str) -> None:
    """Display managers do what they like with what a session prints."""
    from systemd import journal  # type: ignore[attr-defined]

    with suppress(OSError):
        journal.send(text, SYSLOG_IDENTIFIER="vfiod", PRIORITY="4")


def start(stage: "Stage", guest: str) -> int:
    """The entry's work, in its order. Raises what stands against it."""
    from vfiod.bus.connection import Bus
    from vfiod.cli import waiting
    from vfiod.cli.client import Client
    from vfiod.host.facts.loginscreen import guest_of
    from vfiod.tools.session import began

    bus = Bus()
    client = Client(bus)
    try:
        await_screen(bus)
    finally:
        put_back(client)
    began.require_person(began.read(bus), guest_of(guest) or guest)
    facts = find(client, guest)
    stage.show(STARTING.format(guest=facts.name))
    with waiting.heard(client, facts.name) as outcome:
        return waiting.start(client, outcome, countdown=0)


def put_back(client: "Client") -> None:
    """Whatever comes of the start, the next login is to be the usual one; no start fails for it."""
    from vfiod.host.facts.loginscreen import read_sessions
    from vfiod.tools.session import proposal
    from vfiod.tools.session.usual import choose, recall

    usual = recall()
    proposal.in_home(choose(usual, read_sessions()), Path.home())
    with suppress(VfiodError):
        client.propose_session(f"{usual.name}:{usual.kind}" if usual else "")


def await_screen(bus: "Bus") -> None:
    """Wait until this session has the screen. Raises HostError if it does not get it."""
    from vfiod.tools.session.began import is_active

    deadline = time.monotonic() + _ACTIVE_SECONDS
    while not is_active(bus):
        if time.monotonic() > deadline:
            text = f"this session did not get the screen within {_ACTIVE_SECONDS:g} s"
            raise HostError(text, "choose the guest at the login screen again")
        time.sleep(_PAUSE)


def find(client: "Client", guest: str) -> "GuestFacts":
    """The guest of this name or UUID. Raises Refused with what is against its start."""
    from vfiod.handoff.decision.readiness import load

    rows = load(client.guests())
    for facts in rows:
        if guest in (facts.name, facts.uuid):
            facts.require_ready()
            return facts
    for facts in rows:
        if not facts.uuid:  # libvirt has not said which it is
            facts.require_ready()
    text = f"the configuration names no guest {guest[:60]!r}"
    raise UnknownGuest(text, "all that it names: vfiod guests")
