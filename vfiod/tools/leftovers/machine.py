"""What a static set-up takes from this machine, and whether the host can do without. Pure."""

import fnmatch
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from vfiod.host.facts.drivers import PARKING, Native
from vfiod.host.facts.pci import PciDevice
from vfiod.model import PciAddress, PciFunction
from vfiod.tools.leftovers import pci_ids
from vfiod.tools.leftovers.alternatives import families, to_free


@dataclass(frozen=True, slots=True)
class Machine:
    """``natives``: what could drive its displays; ``blocked``: modules that may not load.

    ``names`` are the devices' modaliases. ``favoured``: the driver that this kernel gives a card
    to which several of its drivers know.
    """

    functions: tuple[PciFunction, ...]
    natives: tuple[Native, ...] = ()
    blocked: frozenset[str] = frozenset()
    names: Mapping[PciAddress, str] = field(default_factory=dict)
    favoured: str = ""

    def by_ids(self, ids: Collection[str]) -> list[PciFunction]:
        """The functions that a list of PCI ids is about."""
        return [f for f in self.functions if any(pci_ids.names(text, f) for text in ids)]

    def by_alias(self, pattern: str) -> list[PciFunction]:
        """The functions whose modalias has the ``pattern``, which may hold wildcards."""
        return [
            f for f in self.functions if fnmatch.fnmatchcase(self.names.get(f.address, ""), pattern)
        ]

    def by_addresses(self, addresses: Collection[str]) -> list[PciFunction]:
        """The functions at ``addresses``; what is no address is passed over."""
        wanted = set()
        for text in addresses:
            try:
                wanted.add(PciAddress.parse(text))
            except ValueError:
                continue
        return [function for function in self.functions if function.address in wanted]

    def but_the_boot_display(self) -> list[PciFunction]:
        """The cards that the firmware did not show its picture on, each with its whole slot."""
        others = [f for f in self.functions if f.is_display and not f.boot_vga]
        return [f for f in self.functions if any(f.address.same_slot(o.address) for o in others)]

    def needs(self, given: Collection[PciFunction]) -> bool:
        """True if the host has no display without these devices, or not the one it booted with.

        What is with vfio-pci already shows nothing. A host that shows its picture on another card,
        while the one it booted with is set aside, is meant to be like that.
        """
        displays = [function for function in self.functions if function.is_display]
        lost = [d for d in displays if any(f.address.same_slot(d.address) for f in given)]
        kept = [d for d in displays if d not in lost]
        if not lost:
            return False
        if all(display.driver in PARKING for display in kept):
            return True
        set_aside = all(display.driver in PARKING for display in lost)
        return any(d.boot_vga for d in lost) and not (set_aside and any(map(shows, kept)))

    @property
    def dark(self) -> tuple[Native, ...]:
        """Displays and their sound that the host should have and has no driver on."""
        return tuple(n for n in self.natives if not n.driven and self.needs([n.function]))

    @property
    def to_free(self) -> frozenset[str]:
        """Modules that are kept away although a display is dark without them."""
        found = (to_free(native.modules, self.blocked, self.favoured) for native in self.dark)
        return frozenset[str]().union(*found)

    def is_lit_by(self, name: str) -> bool:
        """True if every dark display has the driver ``name`` among its alternatives."""
        displays = [native for native in self.dark if native.function.is_display]
        return bool(displays) and all(name in families(native.modules) for native in displays)


def shows(display: PciFunction) -> bool:
    """True if a driver of the host has the display, and a screen is connected to it."""
    driven = display.driver is not None and display.driver not in PARKING
    return driven and isinstance(display, PciDevice) and bool(display.connected)
