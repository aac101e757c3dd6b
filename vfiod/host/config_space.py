"""Whether a PCI function answers: its configuration space against what the kernel knows. Pure.

A reset behind the kernel's back (libvirt's, somebody's setpci) clears the command register and
the BARs of a function whose driver goes on as if nothing had happened: the screen is dark, and
neither the driver link nor the DRM node shows it. Layout: PCI Local Bus 3.0, chapter 6.1; the
kernel's regions: ABI sysfs-bus-pci, resource.

The regions are as the processor sees them, the BARs as the bus does. On a PC the two are the same;
behind a root complex of another architecture they may lie apart (kernel: drivers/pci/host-bridge.c,
pcibios_resource_to_bus), those of ports nearly always: two such complexes have both theirs at 0.
So no BAR is compared with its region. One of memory has lost its address if it reads 0, to which
each of them is reset, and where the kernel puts nothing as long as it has a choice. Ports are left
out: a function that was reset has lost its memory as well, and 0 is where such a window may begin.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HEADER_BYTES = 64
_MEMORY, _WIDE, _UNSET = 0x200, 0x100000, 0x20000000  # kernel: include/linux/ioport.h
_BARS, _FIRST_BAR = 6, 0x10
_GONE = 0xFFFF
_NOT_THERE = "it is not on the bus any more (its configuration space reads ff)"


@dataclass(frozen=True, slots=True)
class Region:
    """One line of ``resource``: what the kernel believes to be in a BAR."""

    start: int
    flags: int

    @property
    def is_memory(self) -> bool:
        """True for a region in memory that the kernel has given an address."""
        return bool(self.start and self.flags & _MEMORY and not self.flags & _UNSET)

    @property
    def is_wide(self) -> bool:
        """True for one whose address has 64 bits, the upper half in the next BAR."""
        return bool(self.flags & _WIDE)


def parse_regions(text: str) -> Sequence[Region]:
    """The BARs of a ``resource`` file, by their numbers."""
    rows = [line.split() for line in text.splitlines()[:_BARS]]
    return [Region(int(row[0], 16), int(row[2], 16)) for row in rows if len(row) == 3]


def find_fault(header: bytes, regions: Sequence[Region]) -> str | None:
    """Why a function with a driver does not answer, for a person; None if it does.

    Arguments: ``header`` is the beginning of the attribute ``config``.
    """
    if len(header) < HEADER_BYTES:
        return f"only {len(header)} bytes of its configuration space can be read"
    vendor, _, command = struct.unpack_from("<HHH", header)
    if vendor == _GONE:
        return _NOT_THERE
    if lost := list(_lost_bars(header, regions)):
        return f"it has lost its addresses, as after a reset: {', '.join(lost)}"
    if any(region.is_memory for region in regions) and not command & 2:
        return f"it is switched off (command register {command:04x}), as after a reset"
    return None


def find_fault_of_virtual(header: bytes) -> str | None:
    """The same for a virtual function (SR-IOV), which has no ids, addresses or memory switch.

    Its vendor reads ff, its BARs and the switch read 0 while it is well: they are its physical
    function's (Single Root I/O Virtualization 1.1, 3.4.1; kernel: vfio_pci_config.c).
    """
    return None if header.strip(b"\xff") else _NOT_THERE


def _lost_bars(header: bytes, regions: Sequence[Region]) -> Iterator[str]:
    bars = struct.unpack_from(f"<{_BARS}I", header, _FIRST_BAR)
    for number, region in enumerate(regions):
        upper = bars[number + 1] if region.is_wide and number + 1 < _BARS else 0
        # The lowest bits say of which kind the BAR is.
        if region.is_memory and not (bars[number] & 0xFFFFFFF0 or upper):
            yield f"BAR {number} reads 0, and its memory was at {region.start:#x}"
