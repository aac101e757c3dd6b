"""Names for PCI ids, from the file that pciutils and hwdata keep (format: its own head, pci.ids).

Without the file there are no names, and ids have to do.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vfiod.model import PciFunction

LINE = re.compile(r"(\t?)(C )?([0-9a-f]{2,4})  (.+)")
# Debian and its family; Fedora, Arch and openSUSE; NixOS.
FILES = (
    "usr/share/misc/pci.ids",
    "usr/share/hwdata/pci.ids",
    "run/current-system/sw/share/hwdata/pci.ids",
)


@dataclass(frozen=True, slots=True)
class PciNames:
    """Names by number: of makers, of their devices, of classes."""

    vendors: Mapping[int, str] = field(default_factory=dict)
    devices: Mapping[tuple[int, int], str] = field(default_factory=dict)
    classes: Mapping[tuple[int, ...], str] = field(default_factory=dict)

    def device(self, function: PciFunction) -> str:
        """Maker (by its short name) and model, as far as they are known; empty if nothing is."""
        vendor = _short(self.vendors.get(function.vendor, ""))
        model = self.devices.get((function.vendor, function.device), "")
        return f"{vendor} {model or f'device {function.device:04x}'}" if vendor else ""

    def kind(self, function: PciFunction) -> str:
        """What sort of device it is, e.g. ``VGA compatible controller``; empty if unknown."""
        base, sub = function.class_code >> 16, function.class_code >> 8 & 0xFF
        return self.classes.get((base, sub)) or self.classes.get((base,)) or ""


def _short(vendor: str) -> str:
    """``AMD/ATI`` of ``Advanced Micro Devices, Inc. [AMD/ATI]``."""
    return vendor.rpartition("[")[2].rstrip("]")


def read_names(root: Path = Path("/")) -> PciNames:
    """The names of this machine's pci.ids; none if it has no such file."""
    for name in FILES:
        try:
            with (root / name).open(encoding="utf-8", errors="replace") as lines:
                return parse_names(lines)
        except OSError:
            continue
    return PciNames()


def parse_names(lines: Iterable[str]) -> PciNames:
    """Read pci.ids: makers and classes at the margin, what belongs to them one tab further in.

    Boards (two tabs) and programming interfaces of classes are left out.
    """
    vendors: dict[int, str] = {}
    devices: dict[tuple[int, int], str] = {}
    classes: dict[tuple[int, ...], str] = {}
    above, in_classes = 0, False
    for line in lines:
        match = LINE.fullmatch(line.rstrip("\n"))
        if match is None:
            continue
        tab, letter, number, name = match.groups()
        code = int(number, 16)
        if not tab:
            above, in_classes = code, bool(letter)
        if in_classes:
            classes[(above, code) if tab else (code,)] = name
        elif tab:
            devices[above, code] = name
        else:
            vendors[code] = name
    return PciNames(vendors, devices, classes)
