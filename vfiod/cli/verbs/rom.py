"""vfiod rom: look at an option ROM, or check it for a card; rom_dump gets it from the card."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vfiod.cli.terminal import say
from vfiod.cli.verbs import rom_dump
from vfiod.cli.verbs.arguments import read_address
from vfiod.errors import RomError
from vfiod.model import PciAddress

if TYPE_CHECKING:
    from vfiod.rom.access import Card


def add(verbs: Any) -> None:
    """Declare the verb and its three commands."""
    verb = verbs.add_parser(
        "rom",
        help="look at, check or dump the option ROM of a card",
        description="Look at the option ROM of a card, check one for a card, or dump it.",
    )
    actions = verb.add_subparsers(title="commands", dest="action", required=True, metavar="COMMAND")
    _add_show(actions)
    _add_check(actions)
    rom_dump.add(actions)


def _add_show(actions: Any) -> None:
    show = actions.add_parser(
        "show",
        help="what is in a ROM, or where a card's can be had",
        description="Show the images in a ROM file, or where the ROM of a card can be had. Changes "
        "nothing.",
    )
    show.add_argument("subject", metavar="FILE|ADDRESS", help="a ROM file, or a card's address")
    show.add_argument("--json", action="store_true", help="print facts as JSON")
    show.set_defaults(run=run_show)


def _add_check(actions: Any) -> None:
    check = actions.add_parser(
        "check",
        help="whether a guest can use a ROM",
        description="Say whether a guest can use a ROM. Changes nothing.",
        epilog="exit status: 3 if no guest can",
    )
    check.add_argument("file", metavar="FILE", type=Path)
    check.add_argument("--for", dest="address", metavar="ADDRESS", type=read_address,
                       help="the card it is meant for")  # fmt: skip
    fix = "write to a new file without the header that a tool put before the ROM"
    check.add_argument("--fix", metavar="OUT", type=Path, help=fix)
    check.add_argument("--json", action="store_true", help="print the findings as JSON")
    check.set_defaults(run=run_check)


def run_show(arguments: argparse.Namespace) -> int:
    """Raises RomError or HostError."""
    from vfiod.cli import rom_cards

    try:
        address = PciAddress.parse(arguments.subject)
    except ValueError:
        return _show_file(Path(arguments.subject), as_json=arguments.json)
    return _show_card(rom_cards.look(address), as_json=arguments.json)


def run_check(arguments: argparse.Namespace) -> int:
    """Exit status 3 if no guest can use the ROM."""
    from vfiod.cli import rom_cards
    from vfiod.rom import check as romcheck
    from vfiod.rom import render
    from vfiod.util.finding import Level, worst

    card = None if arguments.address is None else rom_cards.look(arguments.address)
    data = rom_cards.read(arguments.file)
    if arguments.fix is not None:
        data = _fix(data, arguments)
    found = romcheck.examine(data, card.function if card else None)
    if arguments.json:
        _print_json({"file": str(arguments.fix or arguments.file), **render.findings_json(found)})
    else:
        say("\n".join(render.findings(found)))
    return RomError.exit_code if worst(found) is Level.FAIL else 0


def _show_file(path: Path, *, as_json: bool) -> int:
    from vfiod.cli import rom_cards
    from vfiod.rom import render

    data = rom_cards.read(path)
    if as_json:
        _print_json({"file": str(path), "images": render.images_json(data)})
    else:
        say("\n".join([f"{path}: {len(data)} bytes", *render.images(data)]))
    return 0


def _show_card(card: "Card", *, as_json: bool) -> int:
    from vfiod.cli import rom_cards
    from vfiod.rom import render

    copies = rom_cards.copies(card.function)
    if as_json:
        _print_json({**render.card_json(card), "copies": copies})
    else:
        words = [render.source(name, size) for name, size in copies.items()]
        say("\n".join([*render.card(card), *words]))
    return 0


def _fix(data: bytes, arguments: argparse.Namespace) -> bytes:
    """Write the ROM without the header before it. Raises RomError if there is none to cut."""
    from vfiod.cli import rom_cards
    from vfiod.rom import image

    header = image.header_before(data)
    if not header:
        what = f"no header that could be cut precedes a ROM in {arguments.file}"
        raise RomError(what, f"Nothing was written; see: vfiod rom check {arguments.file}")
    image.parse(data[header:])
    with rom_cards.new_file(arguments.fix) as out:
        out.write(data[header:])
    say(f"{arguments.fix}: written without the {header} bytes before the ROM", to=sys.stderr)
    return data[header:]


def _print_json(facts: dict[str, Any]) -> None:
    print(json.dumps(facts, indent=2, ensure_ascii=False))
