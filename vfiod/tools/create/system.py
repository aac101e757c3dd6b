"""Which operating system is to be installed, as libosinfo calls it. Pure."""

import re
from dataclasses import dataclass

# Windows 10 and 11 have the same volume names on their CDs: the file's name says more. Volume
# licensing has the editions before the number, as in SW_DVD9_Win_Pro_11_23H2.
_EDITIONS = r"(?:[ _.-]+(?:pro|home|ent|enterprise|edu|education|n|iot))*"
_NAMES = tuple(
    (re.compile(rf"(?<![a-z])win(?:dows)?{_EDITIONS}[ _.-]*{number}(?!\d)", re.I), f"win{number}")
    for number in (11, 10)
)
_SERVER = re.compile("server", re.IGNORECASE)
# Of its publisher, or of volumes: CCCOMA_X64FRE_EN-US_DV9, CPBA_A64FRE_DE-DE_DV9, ESD-ISO.
_MICROSOFT = re.compile(r"microsoft|_(?:x64|x86|a64)fre|^esd.iso", re.IGNORECASE)
UNKNOWN = "linux2022"
_TITLES = {"win11": "Windows 11", "win10": "Windows 10"}
_FOLDERS = {"win11": "w11", "win10": "w10"}


@dataclass(frozen=True, slots=True)
class Minimum:
    """What an installer refuses to go below; ``memory`` and ``disk`` in bytes."""

    memory: int = 0
    cpus: int = 1
    disk: int = 0


# https://learn.microsoft.com/windows/whats-new/windows-11-requirements
_WINDOWS_11 = Minimum(4 * 2**30, 2, 64 * 2**30)


@dataclass(frozen=True, slots=True)
class System:
    """An operating system by its short id of libosinfo, e.g. ``win11`` or ``debian11``."""

    ident: str

    @property
    def is_windows(self) -> bool:
        """True for any Windows."""
        return self.ident.startswith("win")

    @property
    def needs_tpm(self) -> bool:
        """Windows 11 installs only with a TPM 2.0 and Secure Boot.

        https://learn.microsoft.com/windows/whats-new/windows-11-requirements
        """
        return self.ident == "win11"

    @property
    def minimum(self) -> Minimum:
        """Below this its installer stops."""
        return _WINDOWS_11 if self.ident == "win11" else Minimum()

    @property
    def title(self) -> str:
        """What a person calls it."""
        return _TITLES.get(self.ident, self.ident)

    @property
    def driver_folder(self) -> str:
        """Where virtio-win's CD has the drivers of this Windows: DRIVER\\FOLDER\\amd64."""
        return _FOLDERS.get(self.ident, "w10")


def by_name(file: str) -> System | None:
    """The system that the name of a CD image tells, if it does."""
    if _SERVER.search(file):  # which has years, and parts of others' names
        return None
    return next((System(ident) for pattern, ident in _NAMES if pattern.search(file)), None)


def is_microsoft_s(publisher: str, volume: str) -> bool:
    """True for a CD of some Windows, by its descriptors."""
    return any(map(_MICROSOFT.search, (publisher, volume)))
