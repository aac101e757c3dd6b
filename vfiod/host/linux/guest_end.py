"""Ending a guest from the daemon, through units of their own: nothing here waits for libvirt.

A call into libvirt while one of its hooks waits for vfiod would wait for ever, so the command
line does it, started by systemd beside the daemon (systemd-run(1)).
"""

import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from vfiod.errors import HostError
from vfiod.host.linux.hook_file import DAEMONS
from vfiod.host.linux.process import Programs
from vfiod.host.linux.units import LinuxUnits
from vfiod.paths import PROGRAM
from vfiod.util import sysfs

# One file for each guest that runs, removed when its devices have been re-attached and before the
# hook's release (libvirt: src/qemu/qemu_process.c, qemuProcessStop).
_STATUS = Path("/run/libvirt/qemu")
SHUTDOWN, DESTROY = "vfiod-shutdown.service", "vfiod-destroy.service"
_SECONDS = 10.0
_SCOPES = "machine-qemu*.scope"
_SCOPE = re.compile(r"machine-qemu-[0-9]+-(.*)\.scope")
# libvirt's names of machines have at most 64 signs; what is nearly as long may be cut off.
_LONG = 60


def find_scope(name: str, units: Collection[str]) -> str | None:
    r"""The scope of a guest among machine-qemu\x2dID\x2dNAME.scope.

    libvirt leaves signs out of the name that a host name cannot have, and cuts it off
    (virDomainMachineNameAppendValid); so only letters and digits count, and as many as there are.
    """
    for unit in units:
        match = _SCOPE.fullmatch(unit.replace("\\x2d", "-"))
        if match is not None and match[1]:
            cut = _plain(match[1])
            if _plain(name) == cut or (len(unit) >= _LONG and _plain(name).startswith(cut)):
                return unit
    return None


def _plain(name: str) -> str:
    return "".join(sign for sign in name if sign.isascii() and sign.isalnum())


class LinuxGuests:
    """Implements vfiod.host.door.Guests."""

    def __init__(self, units: LinuxUnits, programs: Programs, status: Path = _STATUS) -> None:
        self._units = units
        self._programs = programs
        self._status = status

    def end(self, *, seconds: float) -> None:
        if seconds:
            self._run(SHUTDOWN, "--shutdown", f"{seconds:g}")
        else:
            self._run(DESTROY, "--destroy")

    def is_shutting_down(self) -> bool:
        return self._units.unit(SHUTDOWN).active

    def is_cleaned_up(self, uuid: str) -> bool:
        mark = f"<uuid>{uuid}</uuid>"
        return not any(mark in (sysfs.read(path) or "") for path in self._status.glob("*.xml"))

    def scope(self, name: str) -> str | None:
        return find_scope(name, self._units.running(_SCOPES))

    def wake_libvirt(self) -> None:
        if self.libvirt_runs():
            return
        for name in sorted(DAEMONS, key=self._is_listening, reverse=True):
            # It may be masked, or the host be shutting down: then it stays away.
            with suppress(HostError):
                if self._units.unit(name).loaded:
                    self._units.begin(name)
                    return

    def libvirt_runs(self) -> bool:
        return any(self._units.unit(name).active for name in DAEMONS)

    def _is_listening(self, daemon: str) -> bool:
        return self._units.unit(daemon.replace(".service", ".socket")).active

    def _run(self, unit: str, *arguments: str) -> None:
        if not self._units.unit(unit).active:
            options = ["--quiet", "--collect", "--no-block", f"--unit={unit}"]
            argv = ["systemd-run", *options, PROGRAM, "return", *arguments]
            self._programs.run(argv, subject=unit, seconds=_SECONDS)
