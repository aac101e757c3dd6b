"""May a card's ROM be read now, what might that cost, and where else could it be had? Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vfiod.errors import Busy, HostError, VfiodError
from vfiod.model import VFIO_DRIVER, DisplayOutput, Holder, PciFunction
from vfiod.rom import ways
from vfiod.rom.sources import RomRegion


@dataclass(frozen=True, slots=True)
class Card:
    """A card as far as reading its ROM is concerned; ``region`` is None if it has no ROM.

    ``holders`` have one of its nodes open, ``guests`` its IOMMU group; ``copies`` are the
    sources beside sysfs that have its ROM on this machine. ``locked``: this kernel lets nobody
    write into a card's configuration space (lockdown; kernel: pci-sysfs.c, pci_write_config).
    """

    function: PciFunction
    region: RomRegion | None
    output: DisplayOutput
    holders: Sequence[Holder] = ()
    guests: Sequence[Holder] = ()
    copies: Sequence[str] = ()
    locked: bool = False

    @property
    def shadowed(self) -> bool:
        """True if the kernel shows a copy in main memory in place of the card's ROM."""
        return self.region is not None and self.region.shadow

    @property
    def shows_its_rom(self) -> bool:
        """True if the kernel can read the ROM of the card itself."""
        return self.region is not None and not self.region.shadow

    @property
    def host_driver(self) -> str | None:
        """The host's own driver of the card, if it has one."""
        driver = self.function.driver
        return None if driver == VFIO_DRIVER else driver


def objection(card: Card) -> VfiodError | None:
    """Why the ROM cannot or must not be read through sysfs now; None if it may be tried."""
    if card.guests:
        return Busy(
            f"a guest has the card {card.function}: {card.guests[0]}",
            "shut the guest down first: reading the ROM would disturb it",
        )
    if card.region is None:
        return HostError(f"the kernel shows no ROM of {card.function}", elsewhere(card.function))
    return None


def risk(card: Card) -> str | None:
    """The question to ask before the ROM is read, or None if nobody can come to harm.

    PCI lets a card use one address decoder for its ROM and its other memory (drivers/pci/rom.c,
    pci_enable_rom). A shadow copy is in main memory: the card does not notice.
    """
    if card.shadowed or card.host_driver is None or not (card.output.connected or card.holders):
        return None
    screens = ", ".join(card.output.connected)
    use = f"shows your screen ({screens})" if screens else f"is in use: {card.holders[0]}"
    return (
        f"{card.function} {use}. Some cards hide their other memory from their driver "
        f"({card.host_driver}) while their ROM is read: the screen may freeze until a reboot. "
        "Save your work. Read the ROM now?"
    )


def may_unbind(card: Card) -> bool:
    """True if taking the host's driver off may help and takes the card from no process."""
    free = card.host_driver is not None and tie(card.function, card.holders) is None
    return free and not card.shadowed


def unbind_question(card: Card) -> str:
    """The question to ask before the driver is taken off."""
    screens = ", ".join(card.output.connected)
    dark = f" ({screens} goes dark meanwhile)" if screens else ""
    return (
        f"The ROM of {card.function} does not answer; its driver {card.host_driver} may hide it. "
        f"Take the driver off for a moment{dark}, and try again?"
    )


def rescan_objection(card: Card) -> VfiodError | None:
    """Why the card cannot be taken off the bus and found again now; None if it can."""
    if card.guests or card.region is None:
        return objection(card)
    if ways.has_none(card.function):
        what = f"{card.function} has no ROM of its own that it could show: it is in the firmware"
        return HostError(what, remedy(card))
    if card.locked:
        what = (
            f"{card.function} cannot be found anew: with Secure Boot this kernel is locked down, "
            "and would refuse to switch the card's addresses off first"
        )
        return HostError(what, remedy(card))
    if card.function.driver == VFIO_DRIVER:
        what = f"{card.function} is on {VFIO_DRIVER}"
        return Busy(what, "give it back to its own driver first; vfiod status says who has it")
    return tie(card.function, card.holders)


def tie(function: PciFunction, holders: Sequence[Holder]) -> Busy | None:
    """Why a card's driver must not be taken off now; None if it may be.

    nvidia waits for ever in the kernel while its other modules use the card, which no open file
    shows (NVIDIA/open-gpu-kernel-modules, issue 1119).
    """
    if holders:
        what = f"the card {function} is in use: {holders[0]}"
        return Busy(what, _with_the_card_free(function))
    if function.driver == "nvidia":
        what = f"the driver nvidia of {function} cannot be taken off while its modules are loaded"
        return Busy(what, _with_the_card_free(function))
    return None


def rescan_question(card: Card) -> str:
    """The question to ask before that."""
    return (
        f"Linux will lose {card.function} and find it again, which takes its driver "
        f"({card.host_driver or 'none'}) off and on: the screen goes dark for some seconds, and "
        "if the driver fails with the card, until a reboot. Save your work. Do it now?"
    )


def why_silent(card: Card) -> str:
    """Why the kernel found no ROM, as far as can be known; empty if it cannot."""
    if card.shadowed:
        return (
            ". The kernel shows for the boot display not the card's own ROM but the memory at "
            "0xC0000, and this PC's firmware left no copy of it there"
        )
    held = tie(card.function, card.holders)
    return f". The driver {card.host_driver} may hide it, and {held.message}" if held else ""


def remedy(card: Card) -> str:
    """The ways that are left when sysfs gave no ROM, or none of this card: numbered."""
    return ways.numbered([*_here(card), *ways.elsewhere(card.function)])


def elsewhere(function: PciFunction) -> str:
    """Where a ROM can be had if not from this boot of this PC: numbered."""
    return ways.numbered(ways.elsewhere(function))


def _here(card: Card) -> Iterator[ways.Way]:
    is_held = tie(card.function, card.holders) is not None
    if ways.has_none(card.function) or (card.shadowed and card.locked):
        pass  # its own ROM does not show in this boot, whoever lets go of the card
    elif card.region is not None and is_held:
        yield ways.with_the_card_free(card.function, *(["--rescan"] if card.shadowed else []))
    elif card.shadowed:
        yield ways.found_anew(card.function)
    yield from (ways.copied(card.function, source) for source in card.copies)


def _with_the_card_free(function: PciFunction) -> str:
    return ways.numbered([ways.with_the_card_free(function)])
