"""How this machine boots: its loader, and the kernel's options, those in force and those to come.

``configured`` is what the files say for the next boot; ``running`` is /proc/cmdline.
"""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from vfiod.host.facts import cmdline_files, which_loader
from vfiod.host.facts.cmdline_files import Option, assignment, split_options
from vfiod.host.facts.loaders import LOADERS, Loader
from vfiod.host.facts.textfiles import read_bytes, read_files
from vfiod.util import sysfs


class Vendor(Enum):
    """Whose processor it is, by vendor_id of /proc/cpuinfo."""

    INTEL = "Intel"
    AMD = "AMD"
    OTHER = "other"


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
    """``kernel`` is the running release, as uname -r says it; ``own_cmdline`` is the file that
    mkinitcpio's presets name instead of /etc/kernel/cmdline.
    """

    loader: Loader
    running: tuple[str, ...]
    configured: tuple[Option, ...]
    distribution: Distribution
    kernel: str
    vendor: Vendor
    own_cmdline: str = ""


def read(root: Path = Path("/")) -> Boot:
    """Read all of it; what this user may not read is as if it were absent."""
    distribution = read_distribution(root)
    loader = which_loader.read_loader(root, (distribution.ident, *distribution.like))
    return Boot(
        loader=loader,
        running=tuple(split_options(sysfs.read(root / "proc/cmdline") or "")),
        configured=cmdline_files.configured(loader, read_files(root, *source_patterns(loader))),
        distribution=distribution,
        kernel=sysfs.read(root / "proc/sys/kernel/osrelease") or "",
        vendor=read_vendor(root),
        own_cmdline=which_loader.own_cmdline(root) if loader is Loader.MKINITCPIO_CMDLINE else "",
    )


def source_patterns(loader: Loader) -> tuple[str, ...]:
    """The files that hold this loader's options, by patterns below the root."""
    return tuple(pattern for source in LOADERS[loader].sources for pattern in source.patterns)


def read_distribution(root: Path = Path("/")) -> Distribution:
    """os-release(5): /etc first, then /usr/lib; the file is one of shell assignments."""
    data = read_bytes(root / "etc/os-release") or read_bytes(root / "usr/lib/os-release") or b""
    values = dict(filter(None, map(assignment, data.decode("utf-8", "replace").splitlines())))
    return Distribution(
        ident=values.get("ID", "linux"),
        like=tuple(values.get("ID_LIKE", "").split()),
        version=values.get("VERSION_ID", ""),
        name=values.get("PRETTY_NAME", "Linux"),
        is_image=which_loader.is_image(root),
    )


def read_vendor(root: Path) -> Vendor:
    """Hygon's processors are AMD's design and have AMD's IOMMU."""
    for line in (sysfs.read(root / "proc/cpuinfo") or "").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "vendor_id":
            known = {"GenuineIntel": Vendor.INTEL, "AuthenticAMD": Vendor.AMD}
            return known.get(value.strip().replace("HygonGenuine", "AuthenticAMD"), Vendor.OTHER)
    return Vendor.OTHER
