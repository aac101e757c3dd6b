"""What vfiod status shows: read from the journal and the driver links, never remembered."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from vfiod.config.schema import Config
from vfiod.errors import VfiodError
from vfiod.handoff.away import find_away
from vfiod.handoff.journal import Journal, Record
from vfiod.host.door import Host
from vfiod.model import VFIO_DRIVER, PciAddress, Phase

# Whether a guest still has what is stuck is not to be seen in no time.
_GUESTS = frozenset({Phase.HANDOFF, Phase.PREPARED, Phase.GUEST, Phase.RETURN})


@dataclass(frozen=True, slots=True)
class StatusReader:
    """Reads the state without waiting for the operation under way."""

    host: Host
    journal: Journal
    load_config: Callable[[], Config]

    def phase(self) -> tuple[Phase, str]:
        """Phase and guest of the handoff under way."""
        record = self.journal.read()
        return (Phase.HOST, "") if record is None else (record.phase, record.guest)

    def read(self) -> dict[str, Any]:
        """The whole state as JSON values; a wrong configuration is a fact among the others."""
        record = self.journal.read()
        configured, fault = self._configured()
        devices = record.devices if record else configured
        phase = record.phase if record else Phase.HOST
        return {
            "phase": phase.value,
            "guest": record.guest if record else None,
            "seconds": round(self.host.now() - record.since, 1) if record else None,
            "devices": [self._device(address, phase) for address in devices],
            "journal": _steps(record),
            "faults": [*(record.faults if record else ()), *([fault] if fault else ())],
            "away": self._away(devices) if record is None else [],
        }

    def _configured(self) -> tuple[Sequence[PciAddress], str]:
        try:
            config = self.load_config()
        except VfiodError as error:
            return (), str(error)
        guests = config.guests.values()
        return sorted({d.address for guest in guests for d in guest.devices}), ""

    def _device(self, address: PciAddress, phase: Phase) -> dict[str, Any]:
        try:
            driver = self.host.pci.driver(address)
        except VfiodError as error:
            return {"address": str(address), "driver": None, "owner": None, "fault": error.message}
        return {"address": str(address), "driver": driver, "owner": _owner(driver, phase)}

    def _away(self, devices: Sequence[PciAddress]) -> list[str]:
        """While no handoff is under way: each thing for which the screen may be dark."""
        found: list[VfiodError | None] = []
        for address in devices:
            try:
                found.append(find_away(self.host.pci.function(address)))
            except VfiodError as error:
                found.append(error)
        told = [str(error) for error in found if error is not None]
        return told if told and not self._shows_something() else []

    def _shows_something(self) -> bool:
        """Whether the host has a screen on any card: then another may be for guests alone."""
        with suppress(VfiodError):
            displays = [f for f in self.host.pci.functions().values() if f.is_display]
            driven = [f.address for f in displays if f.driver not in (None, VFIO_DRIVER)]
            return any(self.host.pci.output(address).connected for address in driven)
        return False


def _owner(driver: str | None, phase: Phase) -> str | None:
    """None if it cannot be known: vfio-pci may have a device for nobody."""
    if driver in (None, VFIO_DRIVER):
        return "guest" if driver and phase in _GUESTS else None
    return "host"


def _steps(record: Record | None) -> list[dict[str, Any]]:
    entries = record.entries if record else ()
    return [
        {"step": e.step.kind, "device": e.step.device, "does": e.step.describe()} for e in entries
    ]
