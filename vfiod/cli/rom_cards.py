"""The card that a ROM is for, where its ROM can be had, and the files that ROMs are in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from vfiod.cli.local import doors
from vfiod.errors import HostError, RomError
from vfiod.host.facts.firmware import read_lockdown
from vfiod.model import PciAddress, PciFunction
from vfiod.rom import dump as romdump
from vfiod.rom import sources
from vfiod.rom.access import Card
from vfiod.util import files


def copies(function: PciFunction) -> dict[str, int | str]:
    """The sources beside sysfs: bytes of the card's ROM there, or why there is none."""
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


def look(address: PciAddress) -> Card:
    """The card, with the sources that have its ROM. Raises HostError."""
    here = doors()
    card = romdump.look(here.pci, here.processes, address, sources.rom_region(address))
    there = [name for name, size in copies(card.function).items() if isinstance(size, int)]
    locked = read_lockdown() not in (None, "none")
    return replace(card, copies=tuple(there), locked=locked)


def read(path: Path) -> bytes:
    """A ROM file. Raises HostError."""
    return doors().files.read_rom(str(path))


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """To be written; only there, and whole, if that went well. Raises HostError."""
    try:
        with files.new_file(path, mode=0o644) as file:
            yield file
    except FileExistsError as error:
        what = f"{path} exists already, and nothing is ever overwritten"
        raise HostError(what, "Choose another name") from error
    except OSError as error:
        raise HostError(f"cannot write {path}: {error.strerror}") from error
