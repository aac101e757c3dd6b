"""Ending a guest from the daemon, through units of their own: nothing here waits for libvirt.

A call into libvirt while one of its hooks waits for vfiod would wait for ever, so the command
line does it, started by systemd beside the daemon (systemd-run(1)).
"""

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from vfiod.errors import HostError
from vfiod.host.linux.hook_file import DAEMONS
from vfiod.host.linux.process import Programs
from vfiod.host.linux.units import LinuxUnits
from vfiod.paths import GUESTS_ACTIVE, PROGRAM
from vfiod.util import sysfs

SHUTDOWN, DESTROY = "vfiod-shutdown.service", "vfiod-destroy.service"
_SECONDS = 10.0
_SCOPES = "machine-qemu*.scope"
_SCOPE = re.compile(r"machine-(qemu-[0-9]+-)(.+)\.scope")
_LONGEST = 64
# libvirt: qemuDomainObjPrivateXMLFormat's caller, virDomainObjFormat in src/conf/domain_conf.c.
_STATUS = re.compile(r"<domstatus\b[^>]*\spid='([1-9][0-9]*)'")
_NOT_FOR_HOSTS = re.compile(r"[^A-Za-z0-9.-]")
_RUN = re.compile(r"([.-])[.-]+")


def find_scope(name: str, units: Collection[str]) -> str | None:
    r"""The scope of a guest among machine-qemu\x2dID\x2dNAME.scope.

    libvirt leaves signs out of the name that a host name cannot have, and cuts the machine's off
    (virDomainMachineNameAppendValid in src/hypervisor/domain_driver.c).
    """
    for unit in units:
        match = _SCOPE.fullmatch(unit.replace("\\x2d", "-"))
        if match is not None and _machine(match[1], name) == _machine(*match.groups()):
            return unit
    return None


def _machine(prefix: str, name: str) -> str:
    """What libvirt calls it. How many dashes of a row are kept depends on its version: one here."""
    kept = _RUN.sub(r"\1", _NOT_FOR_HOSTS.sub("", name)).lstrip("-.")
    return f"{prefix}{kept}"[:_LONGEST].rstrip("-.")


class LinuxGuests:
    """Implements vfiod.host.door.Guests."""

    def __init__(self, units: LinuxUnits, programs: Programs, status: Path = GUESTS_ACTIVE) -> None:
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

    def qemu(self, uuid: str) -> int | None:
        found = (_STATUS.search(text) for text in self._files_of(uuid))
        return next((int(match[1]) for match in found if match), None)

    def is_cleaned_up(self, uuid: str) -> bool:
        return not any(self._files_of(uuid))

    def _files_of(self, uuid: str) -> Iterator[str]:
        mark = f"<uuid>{uuid}</uuid>"
        texts = (sysfs.read(path) or "" for path in self._status.glob("*.xml"))
        return (text for text in texts if mark in text)

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
