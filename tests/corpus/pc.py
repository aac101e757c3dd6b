"""A PC in about thirty lines of text: what decisions are made from, and nothing else.

    # Comments say which PC it is and where that is known from.
    cpu AMD Ryzen 5 3600 6-Core Processor
    kernel 6.1.0-28-amd64
    pci
    1  00:01.1 1022:1483 0604                        # a root port
    14   01:00.0 1002:67df 0300 boot +DP-1 -HDMI-A-1   # what is behind it stands further right
    14   01:00.1 1002:aaf0 0403
    -  00:18.0 1022:1440 0600                        # in no IOMMU group
    20 03:00.3 1022:149c 0c03
         usb keyboard 046d:c31c Logitech USB Keyboard

A line of the table is: IOMMU group, address, vendor and device, class, and words:

    boot            the firmware's display          +DP-1, -DP-2   connector with, without a screen
    driver=NAME     if not the usual one; - none     reset=a,b      if not the usual ways; - none
    disk=/,/boot    file systems of the host on it   net            its default route goes there
    window=8192     resizable BAR of so many MiB     vf=00:02.0     a virtual function of that one
    direct          the firmware maps it one to one

Keys, most of which may be left out: see ``Pc``.
"""

import re
from dataclasses import dataclass, field, fields, replace
from typing import Any

_FUNCTION = re.compile(
    r"(?P<group>-|[0-9]+)(?P<indent> +)(?P<address>[0-9a-f:.]+) "
    r"(?P<vendor>[0-9a-f]{4}):(?P<device>[0-9a-f]{4}) (?P<code>[0-9a-f]{4,6})(?P<words>.*)"
)
_USB = re.compile(r" +usb (?P<kinds>\S+) (?P<vendor>\w{4}):(?P<device>\w{4})(?: (?P<name>.+))?")

_WORD = re.compile(r"boot|net|direct|[+-][A-Za-z]+-.+|(?:driver|reset|disk|window|vf)=.+")


@dataclass(frozen=True)
class Usb:
    """Something plugged in; ``kinds`` are words of vfiod.host.facts.usb.UsbKind."""

    kinds: tuple[str, ...]
    vendor: str
    device: str
    name: str = ""


@dataclass(frozen=True)
class Function:
    """A line of the table, whose address begins at ``column``.

    ``above`` are the addresses of the bridges over it, the root first.
    """

    address: str
    vendor: str
    device: str
    code: str
    group: str
    above: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    plugged: tuple[Usb, ...] = ()
    column: int = 0

    def has(self, word: str) -> bool:
        """True if it is said of the function."""
        return word in self.words

    def value(self, key: str) -> str | None:
        """What stands behind ``key=``."""
        found = [word.partition("=")[2] for word in self.words if word.startswith(f"{key}=")]
        return found[0] if found else None

    @property
    def connectors(self) -> list[tuple[str, str]]:
        """Names with what the kernel says of them."""
        status = {"+": "connected", "-": "disconnected"}
        return [(word[1:], status[word[0]]) for word in self.words if word[0] in status]


@dataclass(frozen=True)
class Pc:
    """``firmware`` is uefi or bios; ``nvidia`` the version of NVIDIA's driver, if it is loaded.

    ``memory`` is in GiB; ``iommu`` is off where the firmware offers none.
    """

    cpu: str
    kernel: str
    about: str = ""
    system: str = "Debian GNU/Linux 13 (trixie)"
    loader: str = "grub"
    firmware: str = "uefi"
    cmdline: str = "quiet"
    desktop: str = "gdm3"
    nvidia: str = ""
    memory: str = "32"
    iommu: str = "on"
    functions: tuple[Function, ...] = field(default=())

    @property
    def is_amd(self) -> bool:
        """By the name that the processor gives itself."""
        return "AMD" in self.cpu


def parse(text: str) -> Pc:
    """Read a PC. Raises ValueError, with the line, for what is not of the format."""
    keys: dict[str, Any] = {}
    functions: list[Function] = []
    known = {each.name for each in fields(Pc)} - {"about", "functions"}
    lines = text.splitlines()
    about = [line[1:].strip() for line in lines if line.startswith("#")]
    in_table = False
    for number, line in enumerate(lines, 1):
        content = line.partition("#")[0].rstrip()
        key, _, value = content.partition(" ")
        if not content:
            continue
        if content == "pci":
            in_table = True
        elif not in_table and key in known:
            keys[key] = value
        elif in_table and (usb := _USB.fullmatch(content)) and functions:
            functions[-1] = _with(functions[-1], usb)
        elif in_table and (match := _FUNCTION.fullmatch(content)):
            if unknown := [w for w in match["words"].split() if not _WORD.fullmatch(w)]:
                raise ValueError(f"line {number}: unknown word {unknown[0]!r}")
            functions.append(_function(match, functions))
        else:
            raise ValueError(f"line {number}: neither a key nor a PCI function: {content!r}")
    return Pc(**keys, about="\n".join(about), functions=tuple(functions))


def _function(match: re.Match[str], before: list[Function]) -> Function:
    column = match.start("address")
    return Function(
        _whole(match["address"]),
        match["vendor"],
        match["device"],
        match["code"],
        "" if match["group"] == "-" else match["group"],
        _above(column, before),
        tuple(match["words"].split()),
        column=column,
    )


def _above(column: int, before: list[Function]) -> tuple[str, ...]:
    """The last line that begins further left is the parent."""
    parents = (function for function in reversed(before) if function.column < column)
    return next(((*parent.above, parent.address) for parent in parents), ())


def _with(function: Function, match: re.Match[str]) -> Function:
    kinds = tuple(match["kinds"].split(","))
    usb = Usb(kinds, match["vendor"], match["device"], match["name"] or "")
    return replace(function, plugged=(*function.plugged, usb))


def _whole(address: str) -> str:
    return address if address.count(":") == 2 else f"0000:{address}"
