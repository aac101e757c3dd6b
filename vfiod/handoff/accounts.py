"""Users by their numbers: whose manager a unit is, and which numbers people have. Pure."""

import re

from vfiod.model import Holder

# Of people's accounts, and of the system's above them (systemd.io, UIDS-GIDS). Those of a directory
# (sssd, winbind) are higher still; a container's may be too, and are to be told by its group.
_PEOPLE = range(1000, 60514)
_HOMED = range(60001, 60514)
_SYSTEM_S_LAST = 65535
_MANAGER = re.compile(r"user@(\d+)\.service")


def manager_of(uid: int) -> str:
    """The unit of a user's manager (user@.service(5))."""
    return f"user@{uid}.service"


def owner_of(holder: Holder) -> int:
    """Whose unit a process is in: a user's manager has processes of others, as by sudo."""
    found = _MANAGER.fullmatch(holder.unit)
    return int(found[1]) if found else holder.uid


def is_manager(unit: str) -> bool:
    """Whether a unit is the manager of some user."""
    return _MANAGER.fullmatch(unit) is not None


def is_homed(uid: int) -> bool:
    """Whether a number is one that systemd-homed gives the users whose homes it has."""
    return uid in _HOMED


def is_persons(uid: int) -> bool:
    """Whether a number is one that people's accounts have."""
    return uid in _PEOPLE or uid > _SYSTEM_S_LAST
