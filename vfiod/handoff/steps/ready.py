"""Whether the displays are the host's again, before a desktop is started on them."""

from collections.abc import Collection

from vfiod.errors import HostError
from vfiod.handoff.steps.base import Json
from vfiod.host.door import Host
from vfiod.model import VFIO_DRIVER, PciAddress

# How long a connector that had a monitor may take to see it again.
MONITOR_SECONDS = 5.0
NODES, CONNECTED = "nodes", "connected"


def seen(host: Host, displays: Collection[PciAddress]) -> dict[str, Json]:
    """Which displays have a DRM node, and which of these a monitor; for a step's observe()."""
    outputs = {str(address): host.pci.output(address) for address in displays}
    return {
        NODES: [name for name, output in outputs.items() if output.cards],
        CONNECTED: [name for name, output in outputs.items() if output.connected],
    }


def require_displays(
    host: Host,
    name: str,
    remedy: str,
    displays: Collection[PciAddress],
    nodes: Collection[str] = (),
) -> None:
    """Raise HostError if a display is not the host's, or has no DRM node and is one of ``nodes``.

    The node counts: the driver link is set before the driver's probe (drivers/base/dd.c).
    """
    for address in displays:
        if host.pci.driver(address) in (None, VFIO_DRIVER):
            raise _not_started(name, remedy, address, "has no driver of the host")
        if str(address) in nodes and not host.pci.output(address).cards:
            raise _not_started(name, remedy, address, "has no DRM node")
        if host.pci.fault(address):
            raise _not_started(name, remedy, address, "does not answer")


def are_home(host: Host, displays: Collection[PciAddress]) -> bool:
    """True if each has a driver of the host and answers."""
    try:
        require_displays(host, "", "", displays)
    except HostError:
        return False
    return True


def _not_started(name: str, remedy: str, address: PciAddress, why: str) -> HostError:
    return HostError(f"{name} not started: the display {address} {why}", remedy)


def wait_for_monitors(
    host: Host, displays: Collection[PciAddress], connected: Collection[str]
) -> None:
    """A greeter that finds no monitor may stay away; one that sleeps must not keep it away."""
    shown = [address for address in displays if str(address) in connected]
    host.wait(
        lambda: all(host.pci.output(address).connected for address in shown),
        seconds=MONITOR_SECONDS,
    )
