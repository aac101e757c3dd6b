"""What is decided about: a guest that wants its devices, and the host as it is. Pure."""

from dataclasses import dataclass

from vfiod.config.schema import Config, GuestConfig
from vfiod.guest.domain import Domain
from vfiod.handoff.accounts import is_manager
from vfiod.handoff.decision.hoststate import HostState
from vfiod.handoff.decision.performance import PerformanceRequest
from vfiod.handoff.nodes import is_card, is_sound
from vfiod.model import VFIO_DRIVER, PciFunction


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
        """True if a display server has a leaving card open: its card node, as a game has not.

        Or, as one that draws on a card for another's screen, any node of it.
        """
        sessions = {session.unit for session in self.state.sessions}
        return any(
            h.pid in self.state.drawing
            or h.unit == self.state.display_manager.ident
            or (is_card(h) and (h.unit in sessions or is_manager(h.unit)))
            for h in self.state.holders
            if not is_sound(h)
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
