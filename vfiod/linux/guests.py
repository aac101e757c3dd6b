"""Ending a guest from the daemon, through units of their own: nothing here waits for libvirt.

A call into libvirt while one of its hooks waits for vfiod would wait for ever, so the command
line does it, started by systemd beside the daemon (systemd-run(1)).
"""

from vfiod.linux.hookfile import DAEMONS
from vfiod.linux.process import run
from vfiod.linux.units import LinuxUnits

PROGRAM = "/usr/bin/vfiod"
SHUTDOWN, DESTROY = "vfiod-shutdown.service", "vfiod-destroy.service"
_SECONDS = 10.0


class LinuxGuests:
    """Implements vfiod.host.Guests."""

    def __init__(self, units: LinuxUnits) -> None:
        self._units = units

    def end(self, *, seconds: float) -> None:
        if seconds:
            self._run(SHUTDOWN, "--shutdown", f"{seconds:g}")
        else:
            self._run(DESTROY, "--destroy")

    def is_shutting_down(self) -> bool:
        return self._units.unit(SHUTDOWN).active

    def wake_libvirt(self) -> None:
        for name in DAEMONS:
            socket = name.replace(".service", ".socket")
            if self._units.unit(socket).active and not self._units.unit(name).active:
                self._units.begin(name)

    def _run(self, unit: str, *arguments: str) -> None:
        if not self._units.unit(unit).active:
            options = ["--quiet", "--collect", "--no-block", f"--unit={unit}"]
            run(["/usr/bin/systemd-run", *options, PROGRAM, "return", *arguments], seconds=_SECONDS)
