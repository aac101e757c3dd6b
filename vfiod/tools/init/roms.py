"""The ROMs of a guest's devices: whether each can be read, and fits. Reads the files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vfiod.errors import HostError, RomError, VfiodError
from vfiod.guest import passed
from vfiod.host.door import Files
from vfiod.model import PciAddress, PciFunction
from vfiod.rom import image


@dataclass(frozen=True, slots=True)
class Named:
    """A ROM for a device: ``by`` is a sentence that says where it is named, ``remedy`` what to do
    there if it is the wrong one.
    """

    path: str
    by: str
    remedy: str


def in_definition(files: Files, hostdevs: Iterable[passed.Hostdev]) -> dict[PciAddress, str]:
    """Those that the guest reads; but vfiod's own copy is no source."""
    found = {h.address: h.rom_file for h in hostdevs if h.rom_file}
    return {address: rom for address, rom in found.items() if rom != files.staged_path(address)}


def not_their_own(
    files: Files, roms: Mapping[PciAddress, str], functions: Mapping[PciAddress, PciFunction]
) -> dict[PciAddress, str]:
    """Of a card's other functions those that do not do, each in words with the reason.

    Many guides have the card's ROM in the <hostdev> of its sound as well.
    """
    cards = {address.card for address, f in functions.items() if f.is_display}
    beside = {a for a, f in functions.items() if a.card in cards and not f.is_display}
    others = {a: rom for a, rom in roms.items() if a in beside}
    faults = {a: _fault(files, rom, functions[a]) for a, rom in others.items()}
    return {a: f"the ROM {others[a]}, {_why(others[a], e)}" for a, e in faults.items() if e}


def check(files: Files, named: Named, function: PciFunction) -> None:
    """Refuse now what a start would refuse. Raises RomError, HostError."""
    error = _fault(files, named.path, function)
    if error is not None:
        hint = "\n".join(filter(None, [error.hint, named.remedy]))
        raise type(error)(f"{named.by} {named.path}, {_why(named.path, error)}", hint) from error


def _fault(files: Files, path: str, function: PciFunction) -> VfiodError | None:
    try:
        image.check(files.read_rom(path), vendor=function.vendor, device=function.device)
    except (RomError, HostError) as error:
        return error
    return None


def _why(path: str, error: VfiodError) -> str:
    what = "does not fit" if isinstance(error, RomError) else "cannot be read"
    return f"which {what}: {error.message.removeprefix(f'cannot read {path}: ')}"
