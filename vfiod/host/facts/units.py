"""States of systemd's units, read over D-Bus (org.freedesktop.systemd1(5)); any user may."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from vfiod.bus.connection import Bus
from vfiod.errors import HostError

SERVICE = "org.freedesktop.systemd1"
MANAGER = "/org/freedesktop/systemd1"
UNIT = f"{SERVICE}.Unit"
PROPERTIES = (
    "Id", "LoadState", "ActiveState", "UnitFileState", "CanStart", "CanStop",
    "StateChangeTimestamp",
)  # fmt: skip
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class UnitState:
    """``name`` is the primary one; ``load``, ``active`` and ``file`` are systemd's own words.

    ``file`` is empty for a unit without a file. ``changed`` is when ``active`` last changed, a
    reload included, in seconds since 1970; 0 if it never did.
    """

    name: str
    load: str
    active: str
    file: str = ""
    can_start: bool = True
    can_stop: bool = True
    changed: float = 0.0

    @property
    def exists(self) -> bool:
        """False if there is no such unit on this host."""
        return self.load != "not-found"

    @property
    def masked(self) -> bool:
        """True if it may not be started by anybody."""
        return self.load == "masked"

    @property
    def running(self) -> bool:
        """True if it is active or about to be."""
        return self.active in ("active", "activating", "reloading")

    @property
    def enabled(self) -> bool:
        """True if the next boot starts it; static units are started by others."""
        return self.file in ("enabled", "enabled-runtime", "static", "alias", "indirect")


def read_units(bus: Bus, names: Collection[str]) -> Mapping[str, UnitState]:
    """The units by the names asked for. Raises HostError if systemd does not answer."""
    paths = [bus.call(SERVICE, MANAGER, f"{SERVICE}.Manager.LoadUnit", "s", n)[0] for n in names]
    each = bus.get_each(SERVICE, paths, UNIT, PROPERTIES)
    return {name: _unit(name, values) for name, values in zip(names, each, strict=True)}


def _unit(name: str, values: Mapping[str, Any] | None) -> UnitState:
    if values is None:
        raise HostError(f"systemd has no unit {name} any more")
    return UnitState(
        name=values["Id"],
        load=values["LoadState"],
        active=values["ActiveState"],
        file=values["UnitFileState"],
        can_start=values["CanStart"],
        can_stop=values["CanStop"],
        changed=values["StateChangeTimestamp"] / _MICROSECONDS,
    )
