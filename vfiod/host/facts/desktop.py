"""The display manager that is set up, and the users whose services outlive their sessions."""

from dataclasses import dataclass
from pathlib import Path

from vfiod.util import sysfs


@dataclass(frozen=True, slots=True)
class Desktop:
    """``manager`` is the unit that display-manager.service points to; empty if there is none.

    ``masked``: the link points to /dev/null. ``lingering``: users by name (loginctl(1)).
    """

    manager: str
    masked: bool
    lingering: tuple[str, ...]


def read_desktop(root: Path = Path("/")) -> Desktop:
    """Read the files; whether the manager runs is for systemd to say."""
    target = sysfs.read_link(root / "etc/systemd/system/display-manager.service") or ""
    return Desktop(
        manager="" if target == "null" else target,
        masked=target == "null",
        lingering=tuple(sysfs.names(root / "var/lib/systemd/linger")),
    )
