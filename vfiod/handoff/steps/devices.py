"""Steps that move a PCI function between its native driver and vfio-pci."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from vfiod.errors import Awaited, HostError, NotYet, TimedOut
from vfiod.handoff.steps import nvidia
from vfiod.handoff.steps.base import DeviceStep, Notes, Prior, write_by_hand
from vfiod.host.door import Host
from vfiod.model import VFIO_DRIVER, Holder, PciFunction, PowerPolicy

# How long somebody may have it open who came in the last moment.
PASSING_SECONDS = 5.0
AWAKE = PowerPolicy(d3cold_allowed="0", control="on")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class KeepAwake(DeviceStep):
    """Keep a function out of D3cold while it changes hands: some cards never wake from it.

    Until it is home: what is tried for one that does not come back finds it, and the port above it,
    awake. A port that sleeps forwards nothing, be it a reset or a look for what is below it.
    """

    kind: ClassVar[str] = "keep-awake"

    def describe(self) -> str:
        return f"keep {self.address} powered"

    def describe_undo(self) -> str:
        return f"restore the power settings of {self.address}"

    def by_hand(self, prior: Prior) -> str:
        folder = f"/sys/bus/pci/devices/{self.address}"
        files = {"d3cold_allowed": "d3cold_allowed", "control": "power/control"}
        return "; ".join(
            write_by_hand(prior[key], f"{folder}/{file}")
            for key, file in files.items()
            if prior.get(key) is not None
        )

    def observe(self, host: Host) -> Prior:
        policy = host.pci.power(self.address)
        return {
            "d3cold_allowed": policy.d3cold_allowed,
            "control": policy.control,
            "driver": host.pci.driver(self.address),
        }

    def apply(self, host: Host) -> Notes:
        host.pci.set_power(self.address, AWAKE)
        return ()

    def undo(self, host: Host, prior: Prior) -> Notes:
        if "driver" in prior:  # an earlier version did not write it down
            self._require_home(host, _text(prior["driver"]))
        policy = PowerPolicy(_text(prior["d3cold_allowed"]), _text(prior["control"]))
        host.pci.set_power(self.address, policy)
        return ()

    def _require_home(self, host: Host, native: str | None) -> None:
        driver = host.pci.driver(self.address)
        is_away = driver == VFIO_DRIVER or (native is not None and driver is None)
        if is_away or (native is not None and host.pci.fault(self.address)):
            raise NotYet("it stays powered until it is back with its driver")


@dataclass(frozen=True, slots=True)
class AimOverride(DeviceStep):
    """Let no other driver than vfio-pci have a function, before its own one is unloaded."""

    kind: ClassVar[str] = "aim-override"

    def describe(self) -> str:
        return f"reserve {self.address} for {VFIO_DRIVER}"

    def describe_undo(self) -> str:
        return f"let any driver have {self.address} again"

    def observe(self, host: Host) -> Prior:
        return {"override": host.pci.override(self.address)}

    def apply(self, host: Host) -> Notes:
        host.pci.set_override(self.address, VFIO_DRIVER)
        return ()

    def undo(self, host: Host, prior: Prior) -> Notes:
        host.pci.set_override(self.address, _text(prior["override"]))
        return ()


@dataclass(frozen=True, slots=True)
class Detach(DeviceStep):
    """Move a function from its native driver to vfio-pci, and back to the driver it had.

    driver_override, unbind, drivers_probe, and then the driver link is read: the kernel reports
    success for a probe that bound nothing (kernel: drivers/base/bus.c, sysfs-bus-pci).

    ``aimed``: the override is AimOverride's to give back. ``in_line``: with which card it is taken
    in turn, if not with its own.
    """

    kind: ClassVar[str] = "detach"
    seconds: float
    aimed: bool = False
    in_line: str = ""

    @property
    def serial_key(self) -> str:
        return self.in_line or self.address.card

    def describe(self) -> str:
        return f"move {self.address} to {VFIO_DRIVER}"

    def describe_undo(self) -> str:
        return f"give {self.address} back to its driver"

    def observe(self, host: Host) -> Prior:
        driver = host.pci.driver(self.address)
        return {"driver": driver, "override": host.pci.override(self.address)}

    def apply(self, host: Host) -> Notes:
        if not host.gate.is_closed:
            self._require_no_holder(host)
        self._rebind(host, VFIO_DRIVER)
        return ()

    def undo(self, host: Host, prior: Prior) -> Notes:
        function = host.pci.function(self.address)
        native = _text(prior["driver"])
        if function.driver == VFIO_DRIVER:
            self._wait_for_guest(host, function)
        # A function that had no driver may have one by now, that of a module loaded since.
        if function.driver == VFIO_DRIVER or (native is not None and function.driver != native):
            self._rebind(host, native)
        if not self.aimed:
            host.pci.set_override(self.address, _text(prior["override"]))
        if native not in (None, VFIO_DRIVER):
            self._require_answer(host, native)
        return ()

    def _require_answer(self, host: Host, native: str | None) -> None:
        """A driver link alone proves nothing: a reset may have wiped the function under it."""
        if fault := host.pci.fault(self.address):
            raise HostError(
                f"{self.address} has its driver {native} and does not answer: {fault}",
                "the kernel's reason is in: sudo journalctl -k -b",
            )

    def _rebind(self, host: Host, driver: str | None) -> None:
        """The override is aimed first, so that nothing else binds in between."""
        self._leave(host, host.pci.driver(self.address), driver)
        found = host.pci.driver(self.address)
        if found != driver:
            raise HostError(
                f"{self.address} should have the driver {driver or 'none'} "
                f"and has {found or 'none'}",
                "the kernel's reason is in: sudo journalctl -k -b",
            )

    def _leave(self, host: Host, old: str | None, new: str | None) -> None:
        """Unbind, probe, or both."""
        if new == nvidia.NVIDIA:
            nvidia.take_sound_from_vfio(host, self.address, self.seconds)
        if new is None:
            if old is not None:
                host.pci.unbind(self.address, seconds=self.seconds)
        elif old is None:
            host.pci.set_override(self.address, new)
            host.pci.probe(self.address, seconds=self.seconds)
        else:
            host.pci.rebind(self.address, new, seconds=self.seconds)

    def _require_no_holder(self, host: Host) -> None:
        """Whoever opened it since the gate was passed may close it at once, as monitors do."""

        def holders() -> Sequence[Holder]:
            return host.processes.holders([self.address])

        if not host.wait(lambda: not holders(), seconds=PASSING_SECONDS):
            raise TimedOut(
                f"{self.address} was opened again: {', '.join(map(str, holders()))}",
                "stop what does that for as long as the guest runs",
            )

    def _wait_for_guest(self, host: Host, function: PciFunction) -> None:
        """Unbinding vfio-pci under an open QEMU waits for ever (kernel: vfio_main.c)."""
        groups = [function.group] if function.group is not None else []
        if host.wait(lambda: not host.processes.vfio_holders(groups), seconds=self.seconds):
            return
        holders = host.processes.vfio_holders(groups)
        raise Awaited(
            f"{self.address} is still in use by the guest: {', '.join(map(str, holders))}",
            "end that process; it may take its time in the kernel",
            pids=[holder.pid for holder in holders],
        )
