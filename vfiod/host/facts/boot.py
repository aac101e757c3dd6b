"""How this machine boots: its loader, and the kernel's options, those in force and those to come.

``configured`` is what the files say for the next boot; ``running`` is /proc/cmdline.
"""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from vfiod.host.facts.textfiles import Line, read_bytes, read_lines
from vfiod.util import sysfs

GRUB_FILES = ("etc/default/grub", "etc/default/grub.d/*.cfg")
KERNEL_CMDLINE = "etc/kernel/cmdline"
KERNELSTUB = "etc/kernelstub/configuration"
ENTRIES = tuple(f"{place}/loader/entries/*.conf" for place in ("boot", "efi", "boot/efi"))
GRUB_VARIABLES = ("GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT")
# https://systemd.io/BOOT_LOADER_INTERFACE: four bytes of attributes, then UTF-16.
LOADER_INFO = "sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"


class Loader(Enum):
    """Who gives the kernel its options, by the tool that changes them."""

    GRUB = "GRUB"  # one whose grub-mkconfig reads drop-ins: Debian and its children
    GRUBBY = "grubby"
    OSTREE = "rpm-ostree"
    KERNELSTUB = "kernelstub"
    SYSTEMD_BOOT = "systemd-boot"
    PLAIN_GRUB = "GRUB without drop-ins"
    UNKNOWN = "unknown"


class Vendor(Enum):
    """Whose processor it is, by vendor_id of /proc/cpuinfo."""

    INTEL = "Intel"
    AMD = "AMD"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Option:
    """One option of the kernel's command line and the file that asks for it."""

    text: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """os-release(5): ``ident`` is ID, ``like`` the words of ID_LIKE, ``name`` PRETTY_NAME.

    ``is_image``: the system is one of rpm-ostree's, with packages in layers over it.
    """

    ident: str = "linux"
    like: tuple[str, ...] = ()
    version: str = ""
    name: str = "Linux"
    is_image: bool = False

    @property
    def is_nixos(self) -> bool:
        """Packages, units and hooks come from one configuration, and are links into its store."""
        return self.ident == "nixos"


@dataclass(frozen=True, slots=True)
class Boot:
    """``kernel`` is the running release, as uname -r says it."""

    loader: Loader
    running: tuple[str, ...]
    configured: tuple[Option, ...]
    distribution: Distribution
    kernel: str
    vendor: Vendor


def read(root: Path = Path("/")) -> Boot:
    """Read all of it; what this user may not read is as if it were absent."""
    return Boot(
        loader=read_loader(root),
        running=tuple(split_options(sysfs.read(root / "proc/cmdline") or "")),
        configured=tuple(read_configured(root)),
        distribution=read_distribution(root),
        kernel=sysfs.read(root / "proc/sys/kernel/osrelease") or "",
        vendor=read_vendor(root),
    )


def read_loader(root: Path) -> Loader:
    """Programs say it best; where both are installed, what the firmware was told by the loader."""
    if _is_image(root):
        return Loader.OSTREE
    if _program(root, "kernelstub"):
        return Loader.KERNELSTUB
    if _program(root, "grubby") and not _program(root, "update-grub"):
        return Loader.GRUBBY
    if _loader_info(root).startswith("systemd-boot"):
        return Loader.SYSTEMD_BOOT
    has_grub = (root / GRUB_FILES[0]).exists()
    if has_grub and _reads_drop_ins(root):
        return Loader.GRUB
    if any(found for pattern in ENTRIES for found in root.glob(pattern)):
        return Loader.SYSTEMD_BOOT
    return Loader.PLAIN_GRUB if has_grub else Loader.UNKNOWN


def _is_image(root: Path) -> bool:
    return (root / "run/ostree-booted").exists() and _program(root, "rpm-ostree")


def read_configured(root: Path) -> Iterator[Option]:
    """Options for the next boot, of every place that may hold some."""
    yield from _grub(read_lines(root, *GRUB_FILES))
    for line in read_lines(root, KERNEL_CMDLINE):
        yield from _options(line, line.text)
    for line in read_lines(root, *ENTRIES):
        key, _, value = line.text.partition(" ")
        if key == "options":
            yield from _options(line, value)
    yield from _kernelstub(root)


def read_distribution(root: Path = Path("/")) -> Distribution:
    """os-release(5): /etc first, then /usr/lib; the file is one of shell assignments."""
    data = read_bytes(root / "etc/os-release") or read_bytes(root / "usr/lib/os-release") or b""
    values = dict(filter(None, map(assignment, data.decode("utf-8", "replace").splitlines())))
    return Distribution(
        ident=values.get("ID", "linux"),
        like=tuple(values.get("ID_LIKE", "").split()),
        version=values.get("VERSION_ID", ""),
        name=values.get("PRETTY_NAME", "Linux"),
        is_image=_is_image(root),
    )


def read_vendor(root: Path) -> Vendor:
    """Hygon's processors are AMD's design and have AMD's IOMMU."""
    for line in (sysfs.read(root / "proc/cpuinfo") or "").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "vendor_id":
            known = {"GenuineIntel": Vendor.INTEL, "AuthenticAMD": Vendor.AMD}
            return known.get(value.strip().replace("HygonGenuine", "AuthenticAMD"), Vendor.OTHER)
    return Vendor.OTHER


def split_options(text: str) -> list[str]:
    """Options of a command line. Only double quotes group (kernel: lib/cmdline.c)."""
    options, current, quoted = [], "", False
    for character in text:
        quoted ^= character == '"'
        if character.isspace() and not quoted:
            options.append(current)
            current = ""
        else:
            current += character
    return [option for option in (*options, current) if option]


def assignment(text: str) -> tuple[str, str] | None:
    """Name and value of a shell assignment; None for any other line. ``+`` stays with the name."""
    try:
        words = shlex.split(text, comments=True)
    except ValueError:
        return None
    name, equals, value = words[0].removeprefix("export ").partition("=") if words else ("", "", "")
    return (name, value) if equals and name.removesuffix("+").isidentifier() else None


def _grub(lines: Iterator[Line]) -> list[Option]:
    """grub-mkconfig runs these files as shell: a later assignment replaces an earlier one.

    Unless it takes the former value up, as the drop-ins do: ``X="$X more"`` or ``X+=" more"``.
    """
    found: dict[str, list[Option]] = {}
    for line in lines:
        name, value = assignment(line.text) or ("", "")
        variable = name.removesuffix("+")
        if variable in GRUB_VARIABLES:
            references = {f"${variable}", f"${{{variable}}}"}
            options = _options(line, value)
            kept = found.get(variable, [])
            takes_up = name.endswith("+") or any(o.text in references for o in options)
            fresh = [option for option in options if option.text not in references]
            found[variable] = (kept if takes_up else []) + fresh
    return [option for variable in GRUB_VARIABLES for option in found.get(variable, [])]


def _kernelstub(root: Path) -> Iterator[Option]:
    """kernelstub(1) keeps a JSON document; ``user`` holds what is in force."""
    data = read_bytes(root / KERNELSTUB)
    try:
        options = json.loads(data or b"{}")["user"]["kernel_options"]
    except (ValueError, KeyError, TypeError):
        return
    words = options.split() if isinstance(options, str) else options
    lines = (data or b"").decode("utf-8", "replace").splitlines()
    for word in filter(None, map(str, words)):
        numbers = [number for number, line in enumerate(lines, 1) if f'"{word}"' in line]
        yield Option(word, f"/{KERNELSTUB}", numbers[-1] if numbers else 1)


def _options(line: Line, text: str) -> list[Option]:
    return [Option(word, line.file, line.number) for word in split_options(text)]


def _reads_drop_ins(root: Path) -> bool:
    """Debian's patch of grub-mkconfig, which upstream does not have."""
    script = read_bytes(root / "usr/sbin/grub-mkconfig") or b""
    return _program(root, "update-grub") or b"/default/grub.d/" in script


def _program(root: Path, name: str) -> bool:
    return any((root / f"usr/{place}/{name}").exists() for place in ("sbin", "bin"))


def _loader_info(root: Path) -> str:
    data = read_bytes(root / LOADER_INFO) or b""
    return data[4:].decode("utf-16-le", "replace").rstrip("\0")
