"""vfiod rom: look at an option ROM, check it for a card, or get it from the card."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from vfiod.cli.terminal import say
from vfiod.errors import HostError, NotAuthorized, RomError
from vfiod.model import PciAddress, PciFunction

if TYPE_CHECKING:
    from vfiod.rom.access import Card

SOURCES = {
    "sysfs": "the card itself, through sysfs",
    "driver": "the copy its driver keeps",
    "vfct": "the firmware's table VFCT",
}


def add(verbs: Any) -> None:
    """Declare the verb and its three commands."""
    verb = verbs.add_parser(
        "rom",
        help="look at, check or dump the option ROM of a card",
        description="Look at the option ROM of a card, check one for a card, or dump it.",
    )
    actions = verb.add_subparsers(title="commands", dest="action", required=True, metavar="COMMAND")
    show = actions.add_parser(
        "show",
        help="what is in a ROM, or where a card's can be had",
        description="Show the images in a ROM file, or where the ROM of a card can be had. Changes "
        "nothing.",
    )
    show.add_argument("subject", metavar="FILE|ADDRESS", help="a ROM file, or a card's address")
    show.add_argument("--json", action="store_true", help="print facts as JSON")
    show.set_defaults(run=run_show)
    check = actions.add_parser(
        "check",
        help="whether a guest can use a ROM",
        description="Say whether a guest can use a ROM. Changes nothing.",
        epilog="exit status: 3 if no guest can",
    )
    check.add_argument("file", metavar="FILE", type=Path)
    check.add_argument("--for", dest="address", metavar="ADDRESS", type=_address,
                       help="the card it is meant for")  # fmt: skip
    fix = "write to a new file without the header that a tool put before the ROM"
    check.add_argument("--fix", metavar="OUT", type=Path, help=fix)
    check.add_argument("--json", action="store_true", help="print the findings as JSON")
    check.set_defaults(run=run_check)
    dump = actions.add_parser(
        "dump",
        help="write a card's ROM to a new file; needs root",
        description="Write the ROM of a card to a new file, after a check that it is this card's. "
        "A card that is in use is asked about first: its screen may go dark for some seconds.",
    )
    dump.add_argument("address", metavar="ADDRESS", type=_address, help="the card, e.g. 01:00.0")
    dump.add_argument("file", metavar="FILE", type=Path, help="a file that is not there yet")
    where = "; ".join(f"{name}: {what}" for name, what in SOURCES.items())
    dump.add_argument("--from", dest="source", choices=tuple(SOURCES), help=where)
    rescan = "first let Linux lose the card and find it again: the boot display's ROM shows then"
    dump.add_argument("--rescan", action="store_true", help=rescan)
    dump.add_argument("--yes", action="store_true", help="do it even if the card is in use")
    dump.set_defaults(run=run_dump)


def run_show(arguments: argparse.Namespace) -> int:
    """Raises RomError or HostError."""
    try:
        address = PciAddress.parse(arguments.subject)
    except ValueError:
        return _show_file(Path(arguments.subject), as_json=arguments.json)
    return _show_card(_look(address), as_json=arguments.json)


def run_check(arguments: argparse.Namespace) -> int:
    """Exit status 3 if no guest can use the ROM."""
    from vfiod.rom import check as romcheck
    from vfiod.rom import render
    from vfiod.util.finding import Level, worst

    card = None if arguments.address is None else _look(arguments.address)
    data = _read(arguments.file)
    if arguments.fix is not None:
        data = _fix(data, arguments)
    found = romcheck.examine(data, card.function if card else None)
    if arguments.json:
        _print_json({"file": str(arguments.fix or arguments.file), **render.findings_json(found)})
    else:
        say("\n".join(render.findings(found)))
    return RomError.exit_code if worst(found) is Level.FAIL else 0


def run_dump(arguments: argparse.Namespace) -> int:
    """The new file is made first, so that the card is not touched in vain."""
    from vfiod.cli.local import require_no_handoff
    from vfiod.rom import check as romcheck
    from vfiod.rom import render

    if os.geteuid() != 0:
        raise NotAuthorized("only root can read a card's ROM", "Run it with sudo")
    require_no_handoff()
    card = _look(arguments.address)
    with _ends_in_order(), _new_file(arguments.file) as out:
        if arguments.rescan:
            card = _find_anew(card, yes=arguments.yes)
        source, data = _get(card, arguments.source, yes=arguments.yes)
        out.write(data)
    head = f"{arguments.file}: {len(data)} bytes from {SOURCES[source]}"
    say("\n".join([head, *render.images(data)]))
    copied = card.shadowed and source == "sysfs"
    findings = romcheck.examine(data, card.function, shadowed=copied)
    say("\n".join(render.findings(findings)))
    say(f"To use it, set for {card.function.address} in /etc/vfiod/vfiod.yaml: "
          f"rom: {arguments.file.absolute()}")  # fmt: skip
    return 0


def _find_anew(card: "Card", *, yes: bool) -> "Card":
    from vfiod.cli import terminal
    from vfiod.cli.local import doors
    from vfiod.rom import dump as romdump

    if card.shadowed:
        here, consents = doors(), partial(terminal.consents, yes=yes)
        romdump.rescan(here.pci, here.processes, card, consents)
    return _look(card.function.address)


def _get(card: "Card", source: str | None, *, yes: bool) -> tuple[str, bytes]:
    """From the source that was named, or from the one that promises most."""
    if source is None and not card.shows_its_rom:
        for copy in ("driver", "vfct"):
            with suppress(RomError):
                return copy, _get_from(copy, card, yes=yes)
    source = source or "sysfs"
    return source, _get_from(source, card, yes=yes)


def _get_from(source: str, card: "Card", *, yes: bool) -> bytes:
    from vfiod.cli import terminal
    from vfiod.cli.local import doors
    from vfiod.rom import dump as romdump
    from vfiod.rom import sources

    match source:
        case "vfct":
            return romdump.from_vfct(sources.vfct_table(), card.function)
        case "driver":
            copy = sources.driver_copy(card.function.address)
            return romdump.from_driver(copy, card.function)
        case _:
            here, consents = doors(), partial(terminal.consents, yes=yes)
            return romdump.from_sysfs(here.pci, here.processes, card, consents)


def _show_file(path: Path, *, as_json: bool) -> int:
    from vfiod.rom import render

    data = _read(path)
    if as_json:
        _print_json({"file": str(path), "images": render.images_json(data)})
    else:
        say("\n".join([f"{path}: {len(data)} bytes", *render.images(data)]))
    return 0


def _show_card(card: "Card", *, as_json: bool) -> int:
    from vfiod.rom import render

    copies = _copies(card.function)
    if as_json:
        _print_json({**render.card_json(card), "copies": copies})
    else:
        words = [render.source(name, size) for name, size in copies.items()]
        say("\n".join([*render.card(card), *words]))
    return 0


def _copies(function: PciFunction) -> dict[str, int | str]:
    """The sources beside sysfs: bytes of the card's ROM there, or why there is none."""
    from vfiod.rom import dump as romdump
    from vfiod.rom import sources

    reads: dict[str, Callable[[], bytes]] = {
        "driver": lambda: romdump.from_driver(sources.driver_copy(function.address), function),
        "vfct": lambda: romdump.from_vfct(sources.vfct_table(), function),
    }
    return {name: _size_or_why(read) for name, read in reads.items()}


def _size_or_why(read: Callable[[], bytes]) -> int | str:
    try:
        return len(read())
    except RomError as error:
        return error.message
    except HostError as error:
        return str(error)


def _fix(data: bytes, arguments: argparse.Namespace) -> bytes:
    """Write the ROM without the header before it. Raises RomError if there is none to cut."""
    from vfiod.rom import image

    header = image.header_before(data)
    if not header:
        what = f"no header that could be cut precedes a ROM in {arguments.file}"
        raise RomError(what, f"Nothing was written; see: vfiod rom check {arguments.file}")
    image.parse(data[header:])
    with _new_file(arguments.fix) as out:
        out.write(data[header:])
    say(f"{arguments.fix}: written without the {header} bytes before the ROM", to=sys.stderr)
    return data[header:]


def _look(address: PciAddress) -> "Card":
    from vfiod.cli.local import doors
    from vfiod.rom import dump as romdump
    from vfiod.rom.sources import rom_region

    here = doors()
    card = romdump.look(here.pci, here.processes, address, rom_region(address))
    there = [name for name, size in _copies(card.function).items() if isinstance(size, int)]
    return replace(card, copies=tuple(there))


def _read(path: Path) -> bytes:
    from vfiod.cli.local import doors

    return doors().files.read_rom(str(path))


def _address(text: str) -> PciAddress:
    try:
        return PciAddress.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    from vfiod.util import files

    try:
        with files.new_file(path, mode=0o644) as file:
            yield file
    except FileExistsError as error:
        what = f"{path} exists already, and nothing is ever overwritten"
        raise HostError(what, "Choose another name") from error
    except OSError as error:
        raise HostError(f"cannot write {path}: {error.strerror}") from error


@contextmanager
def _ends_in_order() -> Iterator[None]:
    """A lost terminal or a kill leaves nothing switched on: it becomes an exception."""

    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_json(facts: dict[str, Any]) -> None:
    print(json.dumps(facts, indent=2, ensure_ascii=False))
