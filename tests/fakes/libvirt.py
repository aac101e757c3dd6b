"""A small model of libvirt: what it does to the devices of a guest whose QEMU has ended.

Its rules are those of src/qemu/qemu_process.c (qemuProcessStop) and src/util/virpci.c
(virPCIDeviceReset): a while after QEMU's end each device that is not with vfio-pci is reset, and
then the guest's status file goes.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.fakes.clock import Clock
from tests.fakes.kernel import Kernel
from vfiod.model import VFIO_DRIVER, PciAddress

CLEAN_UP_AFTER = 1.5
UUID = "8f3c9e2a-0d49-4b52-9c1d-53f3c1a0b7d4"  # the usual guest's


@dataclass
class Guest:
    """A guest that libvirt knows to run, and whose QEMU may have ended."""

    pid: int
    devices: tuple[PciAddress, ...]


class Libvirt:
    """One daemon. ``hangs``: it runs and does nothing; ``starts``: whether it can be started."""

    def __init__(self, clock: Clock, kernel: Kernel) -> None:
        self.runs = True
        self.starts = True
        self.hangs = False
        self.guests: dict[str, Guest] = {}
        self.kill: Callable[[int], object] = lambda _pid: None
        self._powered_off: set[int] = set()
        self._clock, self._kernel = clock, kernel
        self._ended: set[int] = set()

    def began(self, uuid: str, pid: int, devices: Iterable[PciAddress]) -> None:
        """QEMU runs: there is a status file."""
        self.guests[uuid] = Guest(pid, tuple(devices))

    def qemu_ended(self, pid: int) -> None:
        """It is noticed at once, or at the daemon's next start."""
        self._ended.add(pid)
        self._clean_up_later()

    def powers_off(self, pid: int) -> None:
        """The guest does. QEMU stays (-no-shutdown) until libvirt, which is told, ends it."""
        self._powered_off.add(pid)
        self._end_powered_off()

    def start(self) -> None:
        """systemd starts it; it finds what it has missed (libvirt: qemuProcessReconnect)."""
        self.runs = True
        self._end_powered_off()
        self._clean_up_later()

    def wake(self) -> None:
        """It does what it is there for again."""
        self.hangs = False
        self._clean_up_later()

    def clean_up(self) -> None:
        """What it owes to guests that have ended, now."""
        if not self.runs or self.hangs:
            return
        for uuid in [u for u, guest in self.guests.items() if guest.pid in self._ended]:
            for address in self.guests[uuid].devices:
                self._reset(address)
            del self.guests[uuid]

    def give_up(self, uuid: str = UUID) -> None:
        """It could not kill QEMU, and is done with the guest all the same."""
        del self.guests[uuid]

    def _end_powered_off(self) -> None:
        while self.runs and not self.hangs and self._powered_off:
            self.kill(self._powered_off.pop())

    def _clean_up_later(self) -> None:
        self._clock.after(CLEAN_UP_AFTER, self.clean_up)

    def _reset(self, address: PciAddress) -> None:
        device = self._kernel.devices.get(address)
        if device is not None and device.driver != VFIO_DRIVER:
            self._kernel.reset_bus(address)
