"""vfiod init: propose the devices of a guest and put them into configuration and definition."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vfiod.cli.places import Places, here
from vfiod.errors import NotAuthorized
from vfiod.model import PciAddress

if TYPE_CHECKING:
    from vfiod.tools.init.launcher import Launcher

RUNNING = """{guest} is running: the change of its definition takes effect when it has been shut \
down and is started again."""
SCREEN = """{guest} also has an emulated screen. When the card's driver is installed and the card \
shows a picture, take the emulated one out, or the guest may go on using it. The way to it, SPICE \
or VNC, stays and shows nothing then:
  {command}"""
DRAWN = """{guest} draws its emulated screen with OpenGL on the card that it gets, and does not \
start so. To start it, {remedy}:
  {command}"""
NEXT = """Next, fit it to this host's processor, and see what a start would do:
  sudo vfiod tune {guest}
  sudo vfiod plan {guest}
To take this back: sudo vfiod init {guest} --revert"""


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "init",
        help="give a guest the graphics card, in configuration and definition",
        description="Propose the devices of a guest and explain each; if you agree, put them into "
        "the configuration and the guest's definition. No device moves and nothing ends before "
        "the guest is started.",
    )
    verb.add_argument("guest", metavar="GUEST", help="name of the guest, as virsh lists it")
    verb.add_argument("--yes", action="store_true", help="change without asking")
    verb.add_argument("--dry-run", action="store_true", help="show everything, change nothing")
    verb.add_argument(
        "--device",
        metavar="ADDRESS",
        action="append",
        type=address,
        default=[],
        help="add this device and what must go with it, or exchange the card; may be repeated",
    )
    verb.add_argument("--only", action="store_true", help="take out all but each --device")
    verb.add_argument("--no-usb", action="store_true", help="propose no USB controller")
    verb.add_argument("--rom", metavar="FILE", type=Path, help="the ROM of the graphics card")
    verb.add_argument("--no-launcher", action="store_true", help="no entry in applications menus")
    verb.add_argument("--no-login-entry", action="store_true", help="no entry in the login screen")
    verb.add_argument("--revert", action="store_true", help="take the last init back")
    verb.set_defaults(run=run)


def address(text: str) -> PciAddress:
    """A PCI address from the command line; a wrong one is wrong usage."""
    try:
        return PciAddress.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def run(arguments: argparse.Namespace) -> int:
    """Set the guest up on this machine, or revert that."""
    return run_at(arguments, here())


def run_at(arguments: argparse.Namespace, places: Places) -> int:
    """The verb with its places given; exit status 0 also if nothing had to be changed."""
    from vfiod.cli.terminal import say
    from vfiod.config.file import read_config_file
    from vfiod.guest.connection import Guests

    looks_only = arguments.dry_run or not os.access(places.config.parent, os.W_OK)
    if arguments.revert and looks_only and not arguments.dry_run:
        raise NotAuthorized("only root may read the backups", again())
    read_config_file(places.config)  # what others could have written is not built upon
    guests = Guests(places.uri, read_only=looks_only)
    assignment, do = _assigned(arguments, places, guests)
    entries = entries_for(arguments, places, guests, assignment)
    if not shown([*assignment.difference, *(line for one in entries for line in one.difference)]):
        return 0
    if looks_only:
        say(f"Nothing was changed. {'' if arguments.dry_run else again()}".rstrip())
        return 0

    def apply() -> None:
        if assignment.difference:
            do(assignment)
        for entry in entries:
            entry.apply()

    return changed(arguments, places, guests, apply)


def _assigned(
    arguments: argparse.Namespace, places: Places, guests: Any
) -> tuple[Any, Callable[[Any], None]]:
    """What would be changed, and what does it."""
    from vfiod.guest.backups import Backups
    from vfiod.tools.init.assign import Assigner

    assigner = Assigner(guests, Backups(places.backups))
    if arguments.revert:
        return assigner.revert_of(arguments.guest, places.config), assigner.revert
    return proposed(arguments, places, guests), assigner.apply


def entries_for(
    arguments: argparse.Namespace, places: Places, guests: Any, assignment: Any
) -> "Sequence[Launcher]":
    """Those in menus and login screen: for a guest that is configured then, if they are wanted."""
    from vfiod.config import schema
    from vfiod.tools.init.launcher import launcher_of
    from vfiod.tools.init.login_entry import login_entries

    guest = arguments.guest
    is_configured = guest in schema.parse(assignment.after).guests
    xml, root = guests.definition(guest), places.root
    in_menus = is_configured and not arguments.no_launcher
    at_login = is_configured and not arguments.no_login_entry
    return [
        launcher_of(guest, xml, wanted=in_menus, root=root),
        *login_entries(guest, xml, wanted=at_login, root=root),
    ]


def proposed(arguments: argparse.Namespace, places: Places, guests: Any) -> Any:
    """Show the proposal; give the assignment that it comes to."""
    from vfiod.cli.local import doors
    from vfiod.cli.terminal import say, width
    from vfiod.guest.saved import saved_state
    from vfiod.tools.init.render import as_lines
    from vfiod.tools.init.suggest import Suggestion

    suggestion = Suggestion(
        guest=arguments.guest,
        xml=guests.definition(arguments.guest),
        config=places.config,
        files=doors().files,
        asked=tuple(arguments.device),
        only=arguments.only,
        rom=str(arguments.rom.absolute()) if arguments.rom else None,
        wants_usb=not arguments.no_usb,
    )
    proposal = suggestion.decide(places.root)
    say("\n".join(as_lines(arguments.guest, proposal, width=width())))
    if guests.is_saved(arguments.guest):
        say(f"\n{saved_state(arguments.guest)}")
    return suggestion.assignment(proposal)


def shown(lines: Sequence[str]) -> bool:
    """Print the differences; False if there are none."""
    from vfiod.cli.terminal import say, show_difference

    if not lines:
        say("\nEverything is set up so already; nothing was changed.")
        return False
    say()
    show_difference(lines)
    say()
    return True


def changed(
    arguments: argparse.Namespace, places: Places, guests: Any, do: Callable[[], None]
) -> int:
    """Ask, change, and say what comes next. Exit status 1 without consent."""
    from vfiod.cli.terminal import consents, say
    from vfiod.guest.features import read_guest
    from vfiod.guest.rendering import TO_DRAW_WITHOUT
    from vfiod.tools.init.drawing import draws_on_what_it_gets
    from vfiod.util.typed import virsh, without_screen

    if not consents("Make these changes?", yes=arguments.yes):
        return 1
    do()
    say(f"Done; what was there before is kept in {places.backups}.")
    names = {"guest": shlex.quote(arguments.guest)}
    if guests.is_running(arguments.guest):
        say(RUNNING.format(**names))
    if arguments.revert:
        return 0
    xml = guests.definition(arguments.guest)
    if draws_on_what_it_gets(xml, places.root):
        command = virsh("edit", arguments.guest)
        say(DRAWN.format(**names, remedy=TO_DRAW_WITHOUT, command=command))
    say(NEXT.format(**names))
    if read_guest(xml).screens:
        say(SCREEN.format(**names, command=without_screen(arguments.guest)))
    return 0


def again() -> str:
    """How to run the same as root."""
    return f"To change it, as root:\n  sudo vfiod {shlex.join(sys.argv[1:])}"
