"""Steps that end the desktop and wait until nobody holds the devices any more."""

import signal
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from vfiod.config.spared import is_guest, is_untouchable
from vfiod.errors import HostError, TimedOut
from vfiod.handoff.steps import ready
from vfiod.handoff.steps.base import HostStep, Notes, Prior, names_in
from vfiod.host.door import Host
from vfiod.model import Holder, PciAddress

# They end and begin one after the other: stopped at the same time they once took twenty seconds.
SERIAL_KEY = "desktop"
# How long a display manager may take to open the card after it was started.
MASTER_SECONDS = 20.0


def await_master(host: Host, displays: Collection[PciAddress]) -> None:
    """Wait until somebody has the displays open, if there are any to wait for.

    Who opens a card first becomes its master (kernel: drm_auth.c), and that must be the desktop or
    its login screen: without that neither can show anything. Only the first that is started again
    after it has to wait; on a display that is not back no desktop is started, and a remedy for it
    must not have to wait.
    """
    if displays and not host.units.shutting_down() and ready.are_home(host, displays):
        with suppress(HostError):  # who cannot see them waits no longer
            host.wait(lambda: bool(host.processes.holders(displays)), seconds=MASTER_SECONDS)


def start_bystander(
    host: Host,
    name: str,
    start: Callable[[], Notes],
    remedy: str,
    displays: Collection[PciAddress],
    nodes: Collection[str] = (),
) -> Notes:
    """Start what only lost the devices. Its failure is told, with ``remedy``, and done with.

    Raises HostError as long as the ``displays`` are not the host's: a desktop would find no card,
    and whatever opens one that does not answer is in the way of what is tried to wake it.
    """
    if host.units.shutting_down():
        return (f"{name} not started: the host is shutting down",)
    ready.require_displays(host, name, remedy, displays, nodes)
    try:
        return start()
    except HostError as error:
        return (f"{error.message}; {remedy}",)


def refuse_guests(holders: Collection[Holder]) -> None:
    """Raise HostError for a guest that has begun to use the devices: its plug is not pulled."""
    for holder in holders:
        if is_guest(holder):
            raise HostError(
                f"another guest uses the devices: {holder}",
                "shut that guest down, then start this one again",
            )


class DesktopStep(HostStep):
    """A step that is taken in turn with the others that end the desktop or start it."""

    __slots__ = ()

    @property
    def serial_key(self) -> str:
        return SERIAL_KEY


@dataclass(frozen=True, slots=True)
class StopUnit(DesktopStep):
    """Stop a unit that holds the devices; ``restart`` starts it again on the way back.

    One that is not wanted back, a user's manager whose sessions end, is only asked to: it has let
    go long before it has ended, and the gate waits for that.

    ``displays``: it is started again only once they are the host's. ``after_displays``: as
    await_master(), for itself and for whatever comes back after it.
    """

    kind: ClassVar[str] = "stop-unit"
    unit: str
    restart: bool
    seconds: float
    after_displays: tuple[PciAddress, ...] = ()
    displays: tuple[PciAddress, ...] = ()

    def describe(self) -> str:
        return f"stop {self.unit}"

    def describe_undo(self) -> str:
        return f"start {self.unit} again" if self.restart else ""

    def observe(self, host: Host) -> Prior:
        return {"active": host.units.unit(self.unit).active, **ready.seen(host, self.displays)}

    def apply(self, host: Host) -> Notes:
        if self.restart:
            return host.units.stop(self.unit, seconds=self.seconds)
        host.units.begin_stop(self.unit)
        return ()

    def undo(self, host: Host, prior: Prior) -> Notes:
        await_master(host, self.after_displays)
        if not (self.restart and prior["active"]):
            return ()
        return start_bystander(
            host,
            self.unit,
            lambda: host.units.start(self.unit, seconds=self.seconds),
            f"when that is set right: sudo systemctl start {self.unit}",
            self.displays,
            names_in(prior, ready.NODES),
        )


@dataclass(frozen=True, slots=True)
class StartAgain(HostStep):
    """Start a unit that goes on without the devices: with them gone it holds none.

    A user's manager that stays; or what begins the desktop, where another card has a screen.
    """

    kind: ClassVar[str] = "start-again"
    unit: str
    seconds: float

    def describe(self) -> str:
        return f"start {self.unit} again, without the devices"

    def apply(self, host: Host) -> Notes:
        try:
            return host.units.start(self.unit, seconds=self.seconds)
        except HostError as error:
            return (f"{error.message}; it is tried again on the return",)


@dataclass(frozen=True, slots=True)
class ReleaseHolders(HostStep):
    """The gate: nobody has a node of the devices open. Wait, SIGTERM, SIGKILL, each bounded.

    ``known``: processes that had one when it was decided. As long as one of them has, the others
    need not be looked at.
    """

    kind: ClassVar[str] = "release-holders"
    addresses: tuple[PciAddress, ...]
    seconds: float
    kill_seconds: float
    known: tuple[int, ...] = ()

    def describe(self) -> str:
        return f"wait until no process holds {', '.join(map(str, self.addresses))}"

    def apply(self, host: Host) -> Notes:
        notes: list[str] = []
        if self._free_within(host, self.seconds):
            return notes
        for number in (signal.SIGTERM, signal.SIGKILL):
            notes += self._signal(host, number)
            if self._free_within(host, self.kill_seconds):
                return notes
        raise self._still_held(host)

    def _free_within(self, host: Host, seconds: float) -> bool:
        return host.wait(lambda: self._is_free(host), seconds=seconds)

    def _is_free(self, host: Host) -> bool:
        holders = host.processes.holders
        return not (holders(self.addresses, self.known) or holders(self.addresses))

    def _signal(self, host: Host, number: signal.Signals) -> list[str]:
        """Signal every holder once, by process."""
        found = {h.pid: h for h in host.processes.holders(self.addresses)}
        refuse_guests(found.values())
        targets = [h for h in found.values() if not is_untouchable(h)]
        for holder in targets:
            host.processes.signal(holder, number)
        return [f"{number.name} sent: {holder}" for holder in targets]

    def _still_held(self, host: Host) -> TimedOut:
        left: list[Holder] = list(host.processes.holders(self.addresses))
        return TimedOut(
            "the devices are still held: " + ", ".join(map(str, left)),
            "end these processes, then start the guest again",
        )
