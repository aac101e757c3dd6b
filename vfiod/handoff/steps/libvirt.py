"""The step that keeps the devices with vfio-pci until libvirt has let go of a guest."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from vfiod.errors import HostError
from vfiod.handoff.steps.base import HostStep, Notes, Prior
from vfiod.host.door import Guests, Host


@dataclass(frozen=True, slots=True)
class AwaitLibvirt(HostStep):
    """Nothing on the way out; on the way back no device is touched before libvirt is done.

    When a guest has ended libvirt resets each of its devices that is not with a VFIO driver:
    without FLR by power management or by the bus of the whole card (libvirt: virhostdev.c,
    virHostdevReAttachPCIDevicesImpl, step 4; virpci.c, virPCIDeviceReset). That wipes a card
    whose own driver has it already, for good.
    """

    kind: ClassVar[str] = "await-libvirt"
    uuid: str
    seconds: float

    def describe(self) -> str:
        return "keep the devices until libvirt is done with the guest"

    def describe_undo(self) -> str:
        return "wait until libvirt is done with the guest"

    def apply(self, host: Host) -> Notes:
        return ()

    def undo(self, host: Host, prior: Prior) -> Notes:
        is_cleaned_up = partial(host.guests.is_cleaned_up, self.uuid)
        if is_cleaned_up():
            return ()
        daemon = _Daemon(host.guests)
        is_down = host.wait(lambda: is_cleaned_up() or daemon.is_down(), seconds=self.seconds)
        return () if is_cleaned_up() else (self._gone_on(is_down=is_down),)

    def _gone_on(self, *, is_down: bool) -> str:
        if is_down:
            why = "libvirt's daemon does not run and cannot be started"
        else:
            why = f"libvirt has not cleaned up after the guest within {self.seconds:g} s"
        return (
            f"{why}: going on without it. It may reset the card once it does; vfiod looks "
            "after the display then, and if that stays dark: vfiod status"
        )


@dataclass(slots=True)
class _Daemon:
    """libvirt's daemon, started once: one that is started later would reset the devices then."""

    guests: Guests
    is_woken: bool = False

    def is_down(self) -> bool:
        """False also while systemd gives no answer, as it does not while it is executed anew."""
        try:
            if not self.is_woken:
                self.guests.wake_libvirt()
                self.is_woken = True
            return not self.guests.libvirt_runs()
        except HostError:
            return False
