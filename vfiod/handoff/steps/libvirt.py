"""The step that keeps the devices with vfio-pci until libvirt has let go of a guest."""

from dataclasses import dataclass
from typing import ClassVar

from vfiod.handoff.steps.base import HostStep, Notes, Prior
from vfiod.host.door import Host


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
        guests = host.guests
        if guests.is_cleaned_up(self.uuid):
            return ()
        # A daemon that is started later would reset the devices then.
        guests.wake_libvirt()
        host.wait(
            lambda: guests.is_cleaned_up(self.uuid) or not guests.libvirt_runs(),
            seconds=self.seconds,
        )
        return () if guests.is_cleaned_up(self.uuid) else (self._gone_on(host),)

    def _gone_on(self, host: Host) -> str:
        if not host.guests.libvirt_runs():
            why = "libvirt's daemon does not run and cannot be started"
        else:
            why = f"libvirt has not cleaned up after the guest within {self.seconds:g} s"
        return (
            f"{why}: going on without it. It may reset the card once it does; vfiod looks "
            "after the display then, and if that stays dark: vfiod status"
        )
