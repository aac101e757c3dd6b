"""vfiod reopen: open again what was open when a guest took the screen."""

import argparse
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vfiod.errors import HostError, Refused, VfiodError

if TYPE_CHECKING:
    from vfiod.tools.reopen.record import Place, Record


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "reopen",
        help="open the applications again that were open before a guest",
        description="Open again what you had open when a guest took the screen, save what is open "
        "now. What is opened is what was written down because of reopen: in the configuration. "
        "Never as root: it is about your own applications.",
    )
    which = verb.add_mutually_exclusive_group()
    which.add_argument("--list", action="store_true", help="only show what would be opened")
    which.add_argument("--forget", action="store_true", help="drop the list; open nothing")
    which.add_argument(
        "--login", action="store_true", help="run at each login: as the configuration says, once"
    )
    which.add_argument(
        "--write", choices=("never", "ask", "always"),
        help="run by the service: write down what is open before your session ends, or that "
        "what is open still need not be opened again",
    )  # fmt: skip
    verb.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do it as the user who runs this. Raises Refused for root, HostError."""
    from vfiod.tools.reopen.record import Place

    if 0 in (os.getuid(), os.geteuid()):
        hint = "run it as yourself, without sudo: vfiod reopen"
        reason = VfiodError("root has no applications to open again", hint)
        raise Refused([reason], heading="nothing was opened")
    environment = dict(os.environ)
    place = Place(environment)
    if arguments.write:
        return _write(arguments.write, environment)
    if arguments.forget:
        place.forget()
        return 0
    if arguments.login:
        from vfiod.cli.reopening import at_login

        return _tell(at_login(environment))
    return _show_or_open(place, environment, only_show=arguments.list)


def _write(how: str, own: Mapping[str, str]) -> int:
    """What waits from before was never opened, and stays on the list."""
    from vfiod.config.schema import Reopen
    from vfiod.tools.reopen.look import environment_of_manager, see
    from vfiod.tools.reopen.opened import find
    from vfiod.tools.reopen.record import Place, Record, is_writable
    from vfiod.tools.reopen.session import keep_missing

    environment = environment_of_manager(own)
    place = Place(environment)
    if how == Reopen.NEVER.value:
        keep_missing(place, see(environment))
        return 0
    found = tuple(a for a in find(see(environment)) if is_writable(a))
    if found:
        place.write(Record(Reopen(how), found).over(place.read()))
    print(f"{len(found)} open applications written down" if found else "no application is open")
    return 0


def _show_or_open(place: "Place", own: Mapping[str, str], *, only_show: bool) -> int:
    """The list is used up only where there is a desktop to open it on."""
    from vfiod.cli.terminal import say
    from vfiod.tools.reopen.look import environment_of_desktop, has_display, see
    from vfiod.tools.reopen.session import missing, open_again

    environment = environment_of_desktop(own)
    record: Record | None = place.read() or place.read_used()
    wanted = missing(record, see(environment)) if record else None
    if wanted is None or not wanted.applications:
        say("Nothing to open: all is open that was, or nothing was written down.")
        return 0
    say("\n".join(wanted.names))
    if only_show:
        return 0
    if not has_display(environment):
        text = "no desktop of yours is running here; nothing was opened, and the list is kept"
        raise HostError(text, "log in at the screen, then in a terminal there: vfiod reopen")
    place.take()
    return _tell(open_again(wanted, environment))


def _tell(faults: list[HostError]) -> int:
    from vfiod.cli.terminal import say

    for fault in faults:
        say(f"vfiod: {fault}", to=sys.stderr)
    return HostError.exit_code if faults else 0
