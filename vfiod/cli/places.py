"""Where the commands that change guests look: at this machine, or where a test says."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are: the machine's root, the configuration, the backups, libvirt."""

    root: Path
    config: Path
    backups: Path
    uri: str


def here() -> Places:
    """Those of this machine."""
    from vfiod.guest.connection import URI
    from vfiod.paths import BACKUPS, CONFIG

    return Places(Path("/"), CONFIG, BACKUPS, URI)
