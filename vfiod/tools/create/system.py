"""Which operating system is to be installed, as libosinfo calls it. Pure."""

import re
from dataclasses import dataclass

# Windows 10 and 11 have the same volume names on their CDs: the file's name says more.
_NAMES = (
    (re.compile(r"win(dows)?[ _.-]*11", re.IGNORECASE), "win11"),
    (re.compile(r"win(dows)?[ _.-]*10", re.IGNORECASE), "win10"),
)
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
    return next((System(ident) for pattern, ident in _NAMES if pattern.search(file)), None)
