"""vfiod rom dump: get an option ROM from its card."""

import argparse
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vfiod.cli.terminal import say
from vfiod.cli.verbs.arguments import read_address
from vfiod.errors import NotAuthorized, RomError

if TYPE_CHECKING:
    from vfiod.rom.access import Card

SOURCES = {
    "sysfs": "the card itself, through sysfs",
    "driver": "the copy its driver keeps",
    "vfct": "the firmware's table VFCT",
}


def add(actions: Any) -> None:
    """Declare the command of vfiod rom."""
    dump = actions.add_parser(
        "dump",
        help="write a card's ROM to a new file; needs root",
        description="Write the ROM of a card to a new file, after a check that it is this card's. "
        "A card that is in use is asked about first: its screen may go dark for some seconds.",
    )
    dump.add_argument("address", metavar="ADDRESS", type=read_address,
                      help="the card, e.g. 01:00.0")  # fmt: skip
    dump.add_argument("file", metavar="FILE", type=Path, help="a file that is not there yet")
    where = "; ".join(f"{name}: {what}" for name, what in SOURCES.items())
    dump.add_argument("--from", dest="source", choices=tuple(SOURCES), help=where)
    rescan = "first let Linux lose the card and find it again: the boot display's ROM shows then"
    dump.add_argument("--rescan", action="store_true", help=rescan)
    dump.add_argument("--yes", action="store_true", help="do it even if the card is in use")
    dump.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """The new file is made first, so that the card is not touched in vain."""
    from vfiod.cli import rom_cards
    from vfiod.cli.local import require_no_handoff
    from vfiod.rom import check as romcheck
    from vfiod.rom import render

    if os.geteuid() != 0:
        raise NotAuthorized("only root can read a card's ROM", "Run it with sudo")
    require_no_handoff()
    card = rom_cards.look(arguments.address)
    with _ends_in_order(), rom_cards.new_file(arguments.file) as out:
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
    from vfiod.cli import rom_cards, terminal
    from vfiod.cli.local import doors
    from vfiod.rom import dump as romdump

    if card.shadowed:
        here, consents = doors(), partial(terminal.consents, yes=yes)
        romdump.rescan(here.pci, here.processes, card, consents)
    return rom_cards.look(card.function.address)


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
