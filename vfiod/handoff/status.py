"""What vfiod status shows: read from the journal and the driver links, never remembered."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from vfiod.config.schema import Config
from vfiod.errors import VfiodError
from vfiod.handoff.away import find_away
from vfiod.handoff.journal import RETURNED, Journal, Record
from vfiod.handoff.recovery import greeting
from vfiod.host.door import Host
from vfiod.model import VFIO_DRIVER, PciAddress, PciFunction, Phase

# Whether a guest still has what is stuck is not to be seen in no time.
_GUESTS = frozenset({Phase.HANDOFF, Phase.PREPARED, Phase.GUEST, Phase.RETURN})
_LOOKING = "{} was started; whether a login screen comes of it is looked at for some seconds yet"


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
            "looking": self._looking() if record is None else "",
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

    def _looking(self) -> str:
        """What is not known yet after a return; empty if everything is."""
        with suppress(VfiodError):  # what cannot be read cannot be waited for
            returned = self.journal.beside(RETURNED).read()
            manager = greeting.started(returned) if returned else None
            if manager is not None:
                return _LOOKING.format(manager.unit)
        return ""

    def _away(self, devices: Sequence[PciAddress]) -> list[str]:
        """While no handoff is under way: each thing for which the screen may be dark."""
        found, absent, is_lit = list[VfiodError](), list[VfiodError](), False
        for address in devices:
            try:
                function = self.host.pci.function(address)
            except VfiodError as error:
                absent.append(error)
                continue
            is_lit = is_lit or _is_driven(function)
            found += filter(None, [find_away(function)])
        # What is absent has a line among the devices; it may be the card if no other is.
        told = [str(error) for error in (*found, *(() if is_lit else absent))]
        return told if told and not self._shows_something() else []

    def _shows_something(self) -> bool:
        """Whether the host has a screen on any card: then another may be for guests alone.

        A driver that tells of no screens, as NVIDIA's without KMS, may have one.
        """
        with suppress(VfiodError):
            driven = [f.address for f in self.host.pci.functions().values() if _is_driven(f)]
            outputs = [self.host.pci.output(address) for address in driven]
            return any(output.connected or not output.cards for output in outputs)
        return False


def _is_driven(function: PciFunction) -> bool:
    return function.is_display and function.driver not in (None, VFIO_DRIVER)


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
