"""What a domain's <qemu:commandline> gives QEMU beside libvirt's own options. Pure.

QEMU takes the last -cpu, opens files and takes devices from here as well, and libvirt looks at none
of it (https://libvirt.org/drvqemu.html#pass-through-of-arbitrary-qemu-commands). Options and their
properties are those of qemu-system-x86_64(1), as pairs or as JSON, in which QEMU also takes texts
in single quotes (qemu: qobject/json-lexer.c).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from vfiod.model import PciAddress

_NAMESPACE = "http://libvirt.org/schemas/domain/qemu/1.0"
_ADDRESS = re.compile(
    r"(?:.*/)?(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7])",
    re.ASCII | re.IGNORECASE,
)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', re.DOTALL)
_IN_SINGLE = re.compile(r'\\.|"', re.DOTALL)
_COMMA = "\0"  # for one that is doubled; XML has no such character
# What a word without = in front of the pairs means.
_IMPLIED = {
    "audio": "driver", "audiodev": "driver", "device": "driver", "display": "type",
    "drive": "file", "object": "qom-type",
}  # fmt: skip
# The whole value is a file's name.
_FILE_OPTIONS = (
    "bios", "cdrom", "dtb", "fda", "fdb", "hda", "hdb", "hdc", "hdd", "initrd", "kernel", "pflash",
)  # fmt: skip
_FILE_KEYS = ("evdev", "file", "filename", "rendernode", "romfile")
# Elsewhere it is made by QEMU, as a socket is.
_PATH_OPTIONS = ("fsdev", "tpmdev", "virtfs")
# QEMU makes what is not there below these.
_MADE = ("/dev/shm/", "/dev/hugepages/")


@dataclass(frozen=True, slots=True)
class Option:
    """One option: ``name`` without its dash; ``pairs`` are the properties, nested ones by their
    last name.
    """

    name: str
    value: str
    pairs: tuple[tuple[str, str], ...] = ()

    def get(self, key: str) -> str:
        """A property, empty if it is not there."""
        return next((value for name, value in self.pairs if name == key), "")


@dataclass(frozen=True, slots=True)
class Commandline:
    """All options, in their order, and the variables of QEMU's environment that are set."""

    options: tuple[Option, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def cpu(self) -> tuple[str, ...]:
        """The words of the -cpu that counts; empty if libvirt's own does."""
        found = [option.value.split(",") for option in self.options if option.name == "cpu"]
        return tuple(found[-1]) if found else ()

    @property
    def sets_cores(self) -> bool:
        """True if the number or shape of the CPUs is set here."""
        return any(option.name == "smp" for option in self.options)

    @property
    def devices(self) -> tuple[PciAddress, ...]:
        """The functions of the host that QEMU is given by -device vfio-pci."""
        passed = (o for o in self.options if o.get("driver").startswith("vfio-pci"))
        found = (_address(o.get("host") or o.get("sysfsdev")) for o in passed)
        return tuple(address for address in found if address is not None)

    @property
    def has_input(self) -> bool:
        """True if it is given input devices of the host."""
        return any(option.get("evdev") for option in self.options)

    @property
    def grabbed(self) -> tuple[str, ...]:
        """The input devices of the host that it takes for itself (input-linux)."""
        found = (o.get("evdev") for o in self.options if o.get("qom-type") == "input-linux")
        return tuple(filter(None, found))

    def variable(self, name: str) -> str:
        """A variable of the environment, empty if it is not set here."""
        return dict(self.environment).get(name, "")

    def adds(self, driver: str) -> bool:
        """True if it adds a device of this driver."""
        return any(o.name == "device" and o.get("driver") == driver for o in self.options)

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """The files that QEMU opens, each with the option that names it, as it stands there."""
        found = ((p, f"-{o.name} {o.value}") for o in self.options for p in _files(o))
        return tuple((path, shown) for path, shown in found if path.startswith("/"))


def read_commandline(root: Element) -> Commandline:
    """Read the options of a domain's tree (vfiod.guest.document.read_tree)."""
    given = [inner for block in root if _is(block, "commandline") for inner in block]
    words = [arg.get("value", "") for arg in given if _is(arg, "arg")]
    variables = ((e.get("name", ""), e.get("value", "")) for e in given if _is(e, "env"))
    return Commandline(tuple(_options(words)), tuple(variables))


def _is(element: Element, name: str) -> bool:
    return str(element.tag).lstrip("{") == f"{_NAMESPACE}}}{name}"


def _options(words: list[str]) -> Iterator[Option]:
    for word, following in zip(words, [*words[1:], "-"], strict=False):
        if word.startswith("-"):
            name = word.lstrip("-")
            value = "" if following.startswith("-") else following
            yield Option(name, value, tuple(_pairs(name, value)))


def _pairs(option: str, value: str) -> Iterator[tuple[str, str]]:
    if value.startswith("{"):
        yield from _from_json(value)
        return
    for number, part in enumerate(value.replace(",,", _COMMA).split(",")):
        key, equals, text = part.replace(_COMMA, ",").partition("=")
        if equals:
            yield key.rpartition(".")[2], text
        elif number == 0:
            yield _IMPLIED.get(option, ""), key


def _from_json(text: str) -> Iterator[tuple[str, str]]:
    try:
        yield from _leaves(json.loads(_STRING.sub(_in_double_quotes, text)))
    except (ValueError, RecursionError):
        return  # QEMU says what is wrong with it


def _in_double_quotes(string: re.Match[str]) -> str:
    text = string[0]
    if text.startswith('"'):
        return text
    other = {'"': '\\"', "\\'": "'"}
    return f'"{_IN_SINGLE.sub(lambda sign: other.get(sign[0], sign[0]), text[1:-1])}"'


def _leaves(value: Any) -> Iterator[tuple[str, str]]:
    for key, inner in value.items() if isinstance(value, dict) else ():
        if isinstance(inner, dict):
            yield from _leaves(inner)
        else:
            yield str(key).rpartition(".")[2], str(inner)


def _files(option: Option) -> Iterator[str]:
    if option.name in _FILE_OPTIONS:
        yield option.value
    for key, text in option.pairs:
        opened = key in _FILE_KEYS or (key == "path" and option.name in _PATH_OPTIONS)
        device = key == "mem-path" and text.startswith("/dev/") and not text.startswith(_MADE)
        if opened or device:
            yield from text.split(":") if option.name == "acpitable" else [text]


def _address(text: str) -> PciAddress | None:
    """As QEMU reads it: in hexadecimal, with or without leading zeros and domain."""
    match = _ADDRESS.fullmatch(text)
    if match is None:
        return None
    domain, bus, slot, function = (int(part or "0", 16) for part in match.groups())
    return PciAddress(domain, bus, slot, function) if slot < 32 else None
