"""Which container a process is in, by its control group: that is what has to be stopped. Pure.

To end the process alone is no use where a restart policy begins it again, and the engine's own
service is everybody's.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from vfiod.host.processes import short
from vfiod.model import Holder

# docker and podman name the scope, or without systemd's driver the group, after the whole id.
# Incus, LXD and LXC come first: one in such a container is that one's matter.
_ENGINES = (
    re.compile(r"^/lxc\.payload[./](?P<ident>[\w.-]+)(?P<engine>)(?:/|$)"),
    re.compile(r"(?:^|/)(?P<engine>docker|nerdctl)[-/](?P<ident>[0-9a-f]{64})(?:\.scope)?(?:/|$)"),
    # podman has a slice for each pod.
    re.compile(
        r"^/machine\.slice/(?:machine-libpod_pod_[0-9a-f]+\.slice/)?"
        r"libpod-(?P<ident>[0-9a-f]{64})(?P<engine>)\.scope(?:/|$)"
    ),
)
_NAMES = ("lxc", "", "podman")


@dataclass(frozen=True, slots=True)
class Container:
    """A container of the host's: ``engine`` is docker, nerdctl, podman or lxc."""

    engine: str
    ident: str

    def __str__(self) -> str:
        return f"{short(self.engine, self.ident)} of {self.engine}"


def container_of(holder: Holder) -> Container | None:
    """The container that a process is in; None for one of the host's own.

    One that a service of systemd's runs is that service's matter, one in a user's manager the
    manager's.
    """
    if holder.unit.endswith(".service"):
        return None
    for pattern, name in zip(_ENGINES, _NAMES, strict=True):
        if found := pattern.search(holder.group):
            return Container(found["engine"] or name, found["ident"])
    return None


def among(holders: Iterable[Holder]) -> list[Container]:
    """The containers that these processes are in."""
    found = {container for h in holders if (container := container_of(h)) is not None}
    return sorted(found, key=lambda container: (container.engine, container.ident))
