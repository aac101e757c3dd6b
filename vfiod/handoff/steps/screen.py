"""Steps about the picture: text consoles, the firmware's framebuffer, and the display's return."""

from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from vfiod.errors import HostError, TimedOut
from vfiod.handoff.steps import nvidia, ready
from vfiod.handoff.steps.base import DeviceStep, HostStep, Notes, Prior, names_in
from vfiod.host.door import Host
from vfiod.model import FirmwareFramebuffer, PciAddress

# A driver switches its device on first thing in its probe; one without addresses stays deaf.
_ANSWER_SECONDS = 2.0
# A driver gives its console with its DRM node, i915's a moment later, NVIDIA's without fbdev never.
CONSOLE_SECONDS = 2.0
_NAMES = "names"


@dataclass(frozen=True, slots=True)
class ReleaseConsoles(HostStep):
    """Unbind the framebuffer consoles, found by name (kernel: driver-api/console.rst).

    The directory vanishes with the last framebuffer and comes back with the native driver, so
    the way back looks it up again by name and never by its old number, and waits for it, by then
    after AwaitDisplay, for ``seconds``. ``displays``: on which they may be; while one is not back
    it is tried again with that.
    """

    kind: ClassVar[str] = "release-consoles"
    seconds: float
    displays: tuple[PciAddress, ...] = ()

    @property
    def serial_key(self) -> str | None:
        """With the one card that they can be on; with several, before all of them."""
        cards = {address.card for address in self.displays}
        return cards.pop() if len(cards) == 1 else None

    def describe(self) -> str:
        return "unbind the framebuffer console"

    def describe_undo(self) -> str:
        return "bind the framebuffer console"

    def observe(self, host: Host) -> Prior:
        return {"bound": any(c.bound for c in host.screen.consoles())}

    def apply(self, host: Host) -> Notes:
        for console in host.screen.consoles():
            if console.bound:
                host.screen.bind_console(console.ident, bound=False)
        still = [c.ident for c in host.screen.consoles() if c.bound]
        if still:
            raise HostError(
                f"the text console {', '.join(still)} did not let go of the display",
                "a program may have a virtual terminal in graphics mode; "
                "set release_consoles: false to go on without this step",
            )
        return ()

    def undo(self, host: Host, prior: Prior) -> Notes:
        if not prior["bound"]:
            return ()
        if not host.screen.consoles() and not ready.are_home(host, self.displays):
            raise HostError("it comes with the display, which is not back")
        if not host.wait(lambda: bool(host.screen.consoles()), seconds=self.seconds):
            return (
                "the framebuffer console has not come back: text terminals stay dark until it does",
            )
        for console in host.screen.consoles():
            # One that looks bound may be on its way out: an unbind that hangs is asked about.
            host.screen.bind_console(console.ident, bound=True)
        return ()


@dataclass(frozen=True, slots=True)
class UnbindFramebuffer(HostStep):
    """Unbind a firmware framebuffer that is still there beside the native driver.

    Kernels of 5.18 and later remove the platform device for good when a native driver or
    vfio-pci takes the card (drivers/video/aperture.c): then there is nothing to give back.
    """

    kind: ClassVar[str] = "unbind-framebuffer"
    name: str
    driver: str

    def describe(self) -> str:
        return f"unbind the firmware framebuffer {self.name}"

    def describe_undo(self) -> str:
        return f"bind the firmware framebuffer {self.name}"

    def observe(self, host: Host) -> Prior:
        return {"bound": self._framebuffer in host.screen.framebuffers()}

    def apply(self, host: Host) -> Notes:
        host.screen.bind_framebuffer(self._framebuffer, bound=False)
        return ()

    def undo(self, host: Host, prior: Prior) -> Notes:
        if prior["bound"]:
            # One that looks bound may be on its way out: an unbind that is late is asked about.
            host.screen.bind_framebuffer(self._framebuffer, bound=True)
        return ()

    @property
    def _framebuffer(self) -> FirmwareFramebuffer:
        return FirmwareFramebuffer(self.name, self.driver)


@dataclass(frozen=True, slots=True)
class AwaitDisplay(DeviceStep):
    """Nothing on the way out; on the way back the display must be there before the desktop is."""

    kind: ClassVar[str] = "await-display"
    seconds: float

    def describe(self) -> str:
        return f"remember what {self.address} shows"

    def describe_undo(self) -> str:
        return f"wait for the display {self.address}"

    def observe(self, host: Host) -> Prior:
        output = host.pci.output(self.address)
        return {
            "driver": host.pci.driver(self.address),
            "cards": len(output.cards),
            _NAMES: list(output.cards),
            "connected": len(output.connected),
        }

    def apply(self, host: Host) -> Notes:
        return ()

    def undo(self, host: Host, prior: Prior) -> Notes:
        if prior["driver"] is None:
            return ()
        if host.pci.driver(self.address) is None:
            # The driver's module may have come back while the function was still on vfio-pci.
            if prior["driver"] == nvidia.NVIDIA:
                nvidia.take_sound_from_vfio(host, self.address, self.seconds)
            host.pci.probe(self.address, seconds=self.seconds)
        if host.pci.driver(self.address) is None:
            raise self._dark(host, prior, "at once")  # a probe that fails is not waited for
        if not host.wait(lambda: host.pci.fault(self.address) is None, seconds=_ANSWER_SECONDS):
            raise self._dark(host, prior, f"within {_ANSWER_SECONDS:g} s")
        if not host.wait(lambda: self._card_is_back(host, prior), seconds=self.seconds):
            raise self._dark(host, prior, f"within {self.seconds:g} s")
        screens = self._look_for_screens(host) if prior["connected"] else ()
        return (*self._other_name(host, prior), *screens)

    def _other_name(self, host: Host, prior: Prior) -> Notes:
        """Numbers are given anew: where the firmware's framebuffer had card0, it is free by now."""
        before, now = names_in(prior, _NAMES), host.pci.output(self.address).cards
        if not (before and now) or set(before) == set(now):
            return ()
        # The name by its path does not do there: they split their lists at its colons.
        return (
            f"{self.address} is {', '.join(now)} now, it was {', '.join(before)}: where a desktop "
            "is told the number (AQ_DRM_DEVICES, WLR_DRM_DEVICES, KWIN_DRM_DEVICES), have it use "
            f"$(readlink -f /dev/dri/by-path/pci-{self.address}-card), or what vfiod.service(8) "
            "says under A CARD BY ITS NAME",
        )

    def _look_for_screens(self, host: Host) -> Notes:
        """Some cards see their screens again only when asked (reported of the RTX 50 series)."""
        if host.pci.output(self.address).connected:
            return ()
        with suppress(HostError):
            host.pci.detect_screens(self.address, seconds=self.seconds)
        if host.pci.output(self.address).connected:
            return (f"the connectors of {self.address} had to be asked again for their screens",)
        return (f"no monitor is connected to {self.address} now; one was before",)

    def _card_is_back(self, host: Host, prior: Prior) -> bool:
        driver = host.pci.driver(self.address)
        cards = len(host.pci.output(self.address).cards)
        there = driver == prior["driver"] and (cards > 0 or not prior["cards"])
        return there and host.pci.fault(self.address) is None

    def _dark(self, host: Host, prior: Prior, when: str) -> TimedOut:
        driver = host.pci.driver(self.address)
        fault = host.pci.fault(self.address) if driver is not None else None
        return TimedOut(
            f"the display {self.address} did not come back {when}: "
            f"it should have {prior['driver']} and a DRM node, it has {driver or 'no driver'}"
            + (f", and {fault}" if fault else ""),
            "the kernel's reason is in: sudo journalctl -k -b",
        )
