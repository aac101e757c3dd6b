"""Remedies: ways to wake a device that does not come back, gentle ones first."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from vfiod.errors import HostError
from vfiod.handoff.decision.rules import are_one_card
from vfiod.handoff.recovery.forbidden import LeftOut, is_free, require_let_go
from vfiod.handoff.steps.base import Step
from vfiod.handoff.steps.devices import Detach
from vfiod.host.door import Host
from vfiod.model import VFIO_DRIVER, PciAddress

SECONDS = 30.0
SLEEP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Missing:
    """A function that has not come back to ``driver``, its native one."""

    address: PciAddress
    driver: str
    is_display: bool = False


class Remedy(Protocol):
    """One way to wake a device."""

    @property
    def device(self) -> str:
        """The PCI address it is for."""

    def describe(self) -> str:
        """What apply does, for a person."""

    def check(self, host: Host) -> None:
        """Raise LeftOut if it must not be tried."""

    def apply(self, host: Host) -> None:
        """Do it. Raises HostError if the host refuses."""


@dataclass(frozen=True, slots=True)
class DeviceRemedy:
    """What all remedies share: the one function that they are for."""

    address: PciAddress

    @property
    def device(self) -> str:
        return str(self.address)

    def check(self, host: Host) -> None:
        require_let_go(host, self.address)


@dataclass(frozen=True, slots=True)
class ProbeAgain(DeviceRemedy):
    """Some drivers need a second try, and some have lost their module on the way.

    A driver that has the function and cannot reach it lets go first.
    """

    def describe(self) -> str:
        return f"probe {self.address} again"

    def apply(self, host: Host) -> None:
        if host.pci.driver(self.address) is not None and host.pci.fault(self.address):
            _unbind(host, self.address)
        with suppress(HostError):
            host.modules.load_for(self.address, seconds=SECONDS)
        host.pci.probe(self.address, seconds=SECONDS)


@dataclass(frozen=True, slots=True)
class Reset(DeviceRemedy):
    """Reset the function by one of its methods (kernel: ABI sysfs-bus-pci, reset_method)."""

    method: str

    def describe(self) -> str:
        return f"reset {self.address} ({self.method})"

    def apply(self, host: Host) -> None:
        _unbind(host, self.address)
        host.pci.reset(self.address, self.method, seconds=SECONDS)


@dataclass(frozen=True, slots=True)
class ResetBus(DeviceRemedy):
    """Reset the bus a card is on, with all of its functions free of drivers.

    Most AMD cards have no way to be reset but this one (kernel: drivers/pci/quirks.c,
    quirk_no_pm_reset; vfio_pci_core.c).
    """

    def describe(self) -> str:
        return f"reset the bus of {self.address}"

    def check(self, host: Host) -> None:
        functions = host.pci.on_bus_of(self.address)
        if held := [a for a in functions if not is_free(host, a)]:
            raise LeftOut(f"a guest has {', '.join(map(str, held))}, on the same bus")
        others = [a for a in functions if a != self.address]
        for other, uses in host.pci.in_use_by(others).items():
            raise LeftOut(f"{', '.join(uses)} is on {other}, on the same bus")
        if strangers := [a for a in others if not self._is_same_card(host, a)]:
            raise LeftOut(
                f"{', '.join(map(str, strangers))} on the same bus is no part of the card"
            )
        for address in functions:
            require_let_go(host, address)

    def _is_same_card(self, host: Host, other: PciAddress) -> bool:
        functions = host.pci.functions()
        mine, its = functions.get(self.address), functions.get(other)
        return bool(mine and its and are_one_card(mine, its, functions.values()))

    def apply(self, host: Host) -> None:
        for address in host.pci.on_bus_of(self.address):
            _unbind(host, address)
        host.pci.reset_bus(self.address, seconds=SECONDS)


@dataclass(frozen=True, slots=True)
class Rediscover(DeviceRemedy):
    """Remove the function and have its bus looked through again."""

    def describe(self) -> str:
        return f"remove {self.address} and look for it again"

    def apply(self, host: Host) -> None:
        host.pci.rediscover(self.address, seconds=SECONDS)


@dataclass(frozen=True, slots=True)
class ReloadModule(DeviceRemedy):
    """Unload and load the native driver's module."""

    module: str

    def describe(self) -> str:
        return f"load the module {self.module} anew"

    def apply(self, host: Host) -> None:
        host.modules.unload(self.module, seconds=SECONDS)
        host.modules.load(self.module, seconds=SECONDS)


@dataclass(frozen=True, slots=True)
class Sleep(DeviceRemedy):
    """Suspend the host to RAM and have its clock wake it: that cuts the card's power."""

    def describe(self) -> str:
        return f"suspend the host for {SLEEP_SECONDS:g} s, to cut the power of {self.address}"

    def apply(self, host: Host) -> None:
        _unbind(host, self.address)
        host.power.sleep(seconds=SLEEP_SECONDS)


def find_remedies(
    host: Host, missing: Collection[Missing], *, may_suspend: bool
) -> Iterator[Remedy]:
    """All remedies for these devices, the gentle ones first; each is looked up when it is due."""
    yield from (ProbeAgain(m.address) for m in missing)
    for m in missing:
        yield from (Reset(m.address, method) for method in host.pci.reset_methods(m.address))
    for m in missing:
        if m.is_display and host.pci.on_bus_of(m.address):
            yield ResetBus(m.address)
    yield from (Rediscover(m.address) for m in missing if not _is_virtual(host, m.address))
    for m in missing:
        if (module := _module_of_its_own(host, m)) is not None:
            yield ReloadModule(m.address, module)
    if may_suspend:
        yield from (Sleep(m.address) for m in missing if m.is_display)


def _is_virtual(host: Host, address: PciAddress) -> bool:
    """A bus that is looked through shows no virtual function (SR-IOV): removed, it is gone."""
    try:
        return host.pci.function(address).is_virtual
    except HostError:
        return False


def disturbed_by(rung: Remedy, host: Host) -> Sequence[Step]:
    """What must be undone again after a rung that takes devices from their drivers, although they
    were home already. To be journaled before it is climbed.
    """
    if not isinstance(rung, ResetBus):
        return ()
    others = [a for a in host.pci.on_bus_of(rung.address) if a != rung.address]
    return [Detach(a, SECONDS) for a in others if host.pci.driver(a) not in (None, VFIO_DRIVER)]


def _module_of_its_own(host: Host, missing: Missing) -> str | None:
    """The driver's module, unless another device works with it."""
    others = [
        f
        for f in host.pci.functions().values()
        if f.driver == missing.driver and f.address != missing.address
    ]
    return None if others else host.modules.of_driver(missing.driver)


def _unbind(host: Host, address: PciAddress) -> None:
    """A driver that is half alive must not work on while its device is reset."""
    if host.pci.driver(address) is not None:
        host.pci.unbind(address, seconds=SECONDS)
