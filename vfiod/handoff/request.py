"""What is decided about: a guest that wants its devices, and the host as it is. Pure."""

from dataclasses import dataclass

from vfiod.config.schema import Config, GuestConfig
from vfiod.guest.domain import Domain
from vfiod.handoff.hoststate import HostState
from vfiod.handoff.performance import PerformanceRequest
from vfiod.model import VFIO_DRIVER, PciFunction

_CARD_NODE = "/dev/dri/card"


@dataclass(frozen=True, slots=True)
class Request:
    """A guest that wants its devices: what was configured, what libvirt will start, what is."""

    config: Config
    guest: GuestConfig
    domain: Domain
    state: HostState

    @property
    def listed(self) -> list[PciFunction]:
        """The configured functions that exist, in the order of the configuration."""
        functions = self.state.functions
        return [functions[d.address] for d in self.guest.devices if d.address in functions]

    @property
    def leaving(self) -> list[PciFunction]:
        """Those that are not on vfio-pci yet."""
        return [f for f in self.listed if f.driver != VFIO_DRIVER]

    @property
    def displays(self) -> list[PciFunction]:
        """Display functions that a driver of the host lights now."""
        return [f for f in self.leaving if f.is_display and f.driver is not None]

    @property
    def ends_desktop(self) -> bool:
        """True if the desktop is on a display that leaves, or has one open."""
        return bool(self.displays) and (not self.state.lit or self.desktop_has_it)

    @property
    def desktop_has_it(self) -> bool:
        """True if a display server has a leaving card open: its card node, as a game has not."""
        sessions = {session.unit for session in self.state.sessions}
        desktop = {self.state.display_manager.ident, *sessions}
        return any(
            holder.node.startswith(_CARD_NODE)
            and (holder.unit in desktop or holder.unit.startswith("user@"))
            for holder in self.state.holders
        )

    @property
    def unloads_nvidia(self) -> bool:
        """True if NVIDIA's modules must go for a display, and no card that stays needs them."""
        leaving = {f.address for f in self.leaving}
        users = {f.address for f in self.state.functions.values() if f.driver == "nvidia"}
        return any(f.driver == "nvidia" for f in self.displays) and users <= leaving

    @property
    def performance(self) -> PerformanceRequest:
        """What is asked for the guest's speed."""
        return PerformanceRequest(self.guest.performance, self.domain, self.state)
