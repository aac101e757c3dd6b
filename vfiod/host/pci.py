"""The part of Host that moves and wakes PCI functions."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from vfiod.model import DisplayOutput, PciAddress, PciFunction, PowerPolicy, UsbPlugged


class Pci(Protocol):
    """PCI functions in sysfs (kernel: Documentation/ABI/testing/sysfs-bus-pci)."""

    def functions(self) -> Mapping[PciAddress, PciFunction]:
        """All functions there are."""

    def function(self, address: PciAddress) -> PciFunction:
        """One function. Raises NotThere if it is not there (any more)."""

    def driver(self, address: PciAddress) -> str | None:
        """The driver it is bound to. Raises NotThere if the function is not there."""

    def fault(self, address: PciAddress) -> str | None:
        """Why the function, which has a driver, does not answer; None if it does.

        Raises HostError if it is not there.
        """

    def override(self, address: PciAddress) -> str | None:
        """The driver_override that is set, or None. Waits for a bind or unbind under way."""

    def set_override(self, address: PciAddress, driver: str | None) -> None:
        """Write driver_override: only that driver may bind. None clears it."""

    def unbind(self, address: PciAddress, *, seconds: float) -> None:
        """Take the function from its driver. Raises KernelStuck if the kernel does not return."""

    def probe(self, address: PciAddress, *, seconds: float) -> None:
        """Let the kernel find a driver. It reports success even if none bound: check after."""

    def rebind(self, address: PciAddress, driver: str, *, seconds: float) -> None:
        """set_override(), unbind() and probe(), quicker than the three; ends at one that fails."""

    def reset_methods(self, address: PciAddress) -> Sequence[str]:
        """Ways to reset the function, in the kernel's order; none if it is not there."""

    def reset(self, address: PciAddress, method: str, *, seconds: float) -> None:
        """Reset the function by this method; the kernel's own order is put back after."""

    def on_bus_of(self, address: PciAddress) -> Sequence[PciAddress]:
        """All functions on the function's bus; none if that is a root bus, which has no port."""

    def reset_bus(self, address: PciAddress, *, seconds: float) -> None:
        """Reset the bus of a function by the port it is behind; no function on it has a driver."""

    def rediscover(self, address: PciAddress, *, seconds: float) -> None:
        """Remove the function, if it is there, and have its bus looked through again."""

    def power(self, address: PciAddress) -> PowerPolicy:
        """The function's power policy."""

    def set_power(self, address: PciAddress, policy: PowerPolicy) -> None:
        """Set the power policy; fields that are None are left alone."""

    def output(self, address: PciAddress) -> DisplayOutput:
        """DRM card nodes and connected connectors of a display function."""

    def detect_screens(self, address: PciAddress, *, seconds: float) -> None:
        """Have the connectors of a display look again for what is plugged into them."""

    def refused_groups(self) -> Collection[int]:
        """IOMMU groups that the kernel gives to nobody, as the firmware uses them."""

    def read_rom(self, address: PciAddress, *, seconds: float) -> bytes:
        """Read the function's option ROM, which is switched on before and off in any case after.

        Its driver may lose the card meanwhile. Raises HostError if no ROM answers.
        """

    def stop_decoding(self, address: PciAddress) -> None:
        """Have a function that no driver has answer at no address until a driver enables it.

        Rediscovered so, a boot display shows its own ROM, not the shadow at 0xC0000.
        """

    def usb(self) -> Sequence[UsbPlugged]:
        """The USB devices that are plugged in, hubs included."""

    def behind(self, nodes: Collection[str]) -> Mapping[str, Collection[PciAddress]]:
        """For paths below /dev, and of network interfaces in /sys/class/net, the functions that
        their devices hang on; others are left out.
        """

    def render_nodes(self) -> Mapping[str, Collection[PciAddress]]:
        """The nodes that programs draw on without a screen, each with the functions that it hangs
        on, which may be none.
        """

    def in_use_by(self, addresses: Collection[PciAddress]) -> Mapping[PciAddress, Sequence[str]]:
        """What of the running host hangs on the functions (mounted file systems, the default
        route); those that carry nothing are left out.
        """
