"""vfiod log: the journal told as a story."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vfiod.errors import ConfigError, HostError, NotAuthorized
from vfiod.util.files import replace_file

if TYPE_CHECKING:
    from vfiod.tools.log.entry import Entry
    from vfiod.tools.log.story import Story

_RECENT = "7 days ago"  # what is older is no news at a login


def add(verbs: Any) -> None:
    """Declare the verb."""
    verb = verbs.add_parser(
        "log",
        help="what happened at starts and ends of guests, and when",
        description="Tell what vfiod did at starts and ends of guests, from the system journal. "
        "Changes nothing.",
    )
    verb.add_argument("guest", metavar="GUEST", nargs="?", help="only this guest")
    which = verb.add_mutually_exclusive_group()
    which.add_argument("--last", action="store_true", help="only the last start")
    which.add_argument("--follow", action="store_true", help="go on telling as things happen")
    which.add_argument(
        "--notify", action="store_true",
        help="tell of the last start by a notification, if it is new to this user",
    )  # fmt: skip
    which.add_argument("--since", metavar="TIME", help="starts since then, in full: '2 hours ago'")
    verb.add_argument("--json", action="store_true", help="print JSON")
    page = "write a page with the timelines; - is standard output"
    verb.add_argument("--html", metavar="FILE", type=Path, help=page)
    verb.add_argument("--force", action="store_true", help="with --html: replace a file")
    verb.set_defaults(run=run, wrong=verb.error)


def run(arguments: argparse.Namespace) -> int:
    """Read the journal and tell it. Raises NotAuthorized if this user may not read it."""
    if arguments.html and (arguments.follow or arguments.json):
        arguments.wrong("--html goes with neither --follow nor --json")
    if arguments.force and not arguments.html:
        arguments.wrong("--force goes with --html only")
    if arguments.notify:
        return _notify(arguments)
    if arguments.follow:
        return _follow(arguments)
    stories = _stories(arguments)
    _tell(arguments, stories[-1:] if arguments.last else stories)
    return 0


def _tell(arguments: argparse.Namespace, stories: "Sequence[Story]") -> None:
    """In the form that was asked for."""
    if arguments.json:
        from vfiod.tools.log.facts import of_story

        document = {"handoffs": [of_story(story) for story in stories]}
        print(json.dumps(document, indent=2, ensure_ascii=False))
    elif not stories:
        from vfiod.cli.terminal import say
        from vfiod.tools.log.format import nothing

        say(nothing(arguments.guest, arguments.since, _named()))
    elif arguments.html:
        put_page(arguments.html, stories, force=arguments.force)
    else:
        from vfiod.cli.terminal import console
        from vfiod.tools.log.text import show

        show(stories, console(), every=arguments.since is not None)


def _notify(arguments: argparse.Namespace) -> int:
    """Run at each login: who may not read the journal, or has no desktop, is not bothered."""
    from vfiod.cli.telling import tell, tell_left
    from vfiod.tools.session import usual

    usual.remember(os.environ)
    tell_left()
    arguments.since = _RECENT
    with suppress(HostError, NotAuthorized):
        tell(_stories(arguments))
    return 0


def _stories(arguments: argparse.Namespace) -> "list[Story]":
    from vfiod.tools.log.reader import HistoryReader, parse_time, this_boot
    from vfiod.tools.log.story import find_stories

    since = parse_time(arguments.since) if arguments.since else None
    entries = HistoryReader().entries(since)
    return find_stories(entries, boot=this_boot(), guest=arguments.guest)


def _named() -> "Sequence[str]":
    """The guests that the configuration names; none if it is wrong, of which others tell."""
    from vfiod.config.file import read_config_file

    with suppress(ConfigError):
        return list(read_config_file().guests)
    return []


def _follow(arguments: argparse.Namespace) -> int:
    from vfiod.cli.terminal import say
    from vfiod.tools.log.reader import HistoryReader

    say("Waiting for what vfiod does next; end with Ctrl+C.", to=sys.stderr)
    try:
        tell_live(HistoryReader().follow(), arguments.guest, as_json=arguments.json)
    except KeyboardInterrupt:
        print()
    return 0


def tell_live(entries: "Iterable[Entry]", guest: str | None, *, as_json: bool) -> None:
    """Print entries as they come: of one guest, and those that are of no guest."""
    from vfiod.cli.terminal import console
    from vfiod.tools.log.facts import of_entry
    from vfiod.tools.log.text import show_entry

    out = console()
    for entry in entries:
        if guest is not None and entry.guest not in ("", guest):
            continue
        if as_json:
            print(json.dumps(of_entry(entry), ensure_ascii=False), flush=True)
        else:
            show_entry(entry, out)


def put_page(path: Path, stories: "Sequence[Story]", *, force: bool) -> None:
    """Write the page to standard output for ``-``, else into a file."""
    from vfiod.tools.log.html import Place, render

    page = render(stories, Place(platform.node(), _device_names()))
    if str(path) == "-":
        sys.stdout.buffer.write(page)
    else:
        write_page(path, page, force=force)


def _device_names() -> dict[str, str]:
    """What the devices of this PC are called, by their address; may be empty."""
    from vfiod.host.facts.pci import read_devices
    from vfiod.host.facts.pcinames import read_names

    names = read_names()
    return {str(address): names.device(device) for address, device in read_devices().items()}


def write_page(path: Path, page: bytes, *, force: bool) -> None:
    """Write it into a new file; one that is there is replaced only by ``force``."""
    from vfiod.cli.terminal import say

    try:
        if force:
            replace_file(path, page, mode=0o644)
        else:
            with path.open("xb") as file:
                file.write(page)
    except FileExistsError as error:
        raise HostError(
            f"{path} exists already", "name another, or replace it with --force"
        ) from error
    except OSError as error:
        raise HostError(f"cannot write {path}: {error.strerror}", "name another place") from error
    say(f"written: {path}")
