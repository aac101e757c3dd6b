"""Control groups: where they are, and which one a process is in (cgroups(7))."""

from pathlib import Path

from vfiod.util import sysfs

MOUNT = Path("sys/fs/cgroup")


def unified(mount: Path) -> Path | None:
    """The root of cgroup v2, of what is mounted on /sys/fs/cgroup; None if there is none.

    Beside v1 it is one further down (systemd: src/shared/mount-setup.c).
    """
    places = (mount, mount / "unified")
    return next((p for p in places if (p / "cgroup.controllers").exists()), None)


def path_of(text: str) -> str:
    """The path in systemd's own hierarchy, from what /proc/PID/cgroup says; empty if unknown."""
    for line in sorted(sysfs.parts(text), key=lambda line: not line.startswith("0::")):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if (number, controllers) == ("0", "") or controllers == "name=systemd":
            return path
    return ""


def guess_unit(path: str) -> str:
    """The first unit on the path: user@1000.service for all that is below it.

    Good enough to be shown, and while systemd does not say. Only slices stand before a unit of
    the host's (systemd.slice(5)): what is below another group is a container's own.
    """
    inside = (part for part in path.split("/") if part and not part.endswith(".slice"))
    unit = next(inside, "")
    return unit if unit.endswith((".service", ".scope")) else ""
