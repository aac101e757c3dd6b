"""The daemon as the command line sees it over the bus."""

import json
import shlex
from collections.abc import Callable, Sequence
from typing import Any

from vfiod.bus.connection import Bus
from vfiod.bus.errors import ABSENT, BusError, Ended
from vfiod.errors import Busy, TimedOut, Unreachable, VfiodError, named
from vfiod.model import Direction

NAME = "org.vfiod1"
PATH = "/org/vfiod1"
MANAGER = "org.vfiod1.Manager"
RETURN_SECONDS = 600.0  # a recovery is long
LOOK_SECONDS = 120.0
AUTHORISATION_SECONDS = 180.0  # somebody may have to find a password


class Client:
    """Calls the daemon; every error of the daemon's comes out as its own class again."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def status(self) -> dict[str, Any]:
        """The daemon's state. Raises Unreachable if it does not answer."""
        facts: dict[str, Any] = json.loads(self._call("Status", seconds=5)[0])
        return facts

    def return_devices(self, *, force: bool = False) -> None:
        """Have the devices given back to the host; returns when they are."""
        self._call("Return", "b", force, seconds=RETURN_SECONDS)

    def rehearse(self, guest: str, xml: str, *, keep_desktop: bool) -> None:
        """Have the devices moved away and back; returns when they are back."""
        self._call("Rehearse", "ssb", guest, xml, keep_desktop, seconds=RETURN_SECONDS)

    def guests(self) -> str:
        """The configured guests as they are now, as JSON."""
        return str(self._call("ListGuests", seconds=LOOK_SECONDS)[0])

    def start_guest(self, guest: str, *, seconds: int) -> None:
        """Have a guest started after a countdown; returns when that has begun."""
        self._call("StartGuest", "su", guest, seconds, seconds=AUTHORISATION_SECONDS)

    def propose_session(self, session: str) -> None:
        """Have the login screen propose a desktop to this user, not a guest's entry."""
        self._call("ProposeSession", "s", session, seconds=LOOK_SECONDS)

    def cancel_start(self, guest: str) -> None:
        """End the countdown to this guest. Raises Busy if it is another's, or none any more."""
        pending = self.status()["start"]
        if pending is not None and pending["guest"] != guest:
            other = pending["guest"]
            hint = f"to cancel that: vfiod start {shlex.quote(other)} --cancel"
            raise Busy(f"{other} is about to start, and {guest} is not", hint)
        self._call("CancelStart", seconds=AUTHORISATION_SECONDS)

    def shut_down_guest(self, guest: str, *, force: bool) -> None:
        """Ask a guest to shut down, or pull its plug; returns when that is done."""
        self._call("ShutdownGuest", "sb", guest, force, seconds=AUTHORISATION_SECONDS)

    def force_off(self, guest: str) -> None:
        """Have the QEMU that has the devices ended, where libvirt does not; returns when it is."""
        self._call("ForceOff", "s", guest, seconds=AUTHORISATION_SECONDS)

    def extend_trial(self, seconds: int) -> str | None:
        """Have the trial under way end so long from now. Returns its guest, None without one."""
        guest: str | None = self.status()["guest"]
        if guest is None:
            return None
        self._call("Keep", "su", guest, seconds, seconds=AUTHORISATION_SECONDS)
        return guest

    def on_start_ended(self, then: Callable[[str, bool, str], None]) -> None:
        """Have ``then`` called with guest, success and message of each start that ends."""
        self._bus.subscribe(NAME, f"{MANAGER}.StartEnded", lambda values: then(*values))

    def on_gone(self, then: Callable[[], None]) -> None:
        """Have ``then`` called when the service is gone, while a main loop runs."""
        self._bus.watch(NAME, then)

    def on_handoff(self, then: Callable[[str], None]) -> None:
        """Have ``then`` called with the guest at each step towards it."""

        def hear(values: Sequence[str]) -> None:
            if values[1] == Direction.HANDOFF.value:
                then(values[0])

        self._bus.subscribe(NAME, f"{MANAGER}.Progress", hear)

    def on_progress(self, then: Callable[[str], None]) -> None:
        """Have ``then`` called with each message while a main loop runs."""
        self._bus.subscribe(NAME, f"{MANAGER}.Progress", lambda values: then(values[3]))

    def _call(self, method: str, signature: str = "", *values: Any, seconds: float) -> Any:
        try:
            return self._bus.call(
                NAME, PATH, f"{MANAGER}.{method}", signature, *values, seconds=seconds
            )
        except BusError as error:
            raise _translate_error(error) from error
        except TimedOut as error:
            raise _no_answer(error, method) from error


def _no_answer(error: TimedOut, method: str) -> TimedOut:
    """What a call was about may go on, or be put right by the service that is started again."""
    if isinstance(error, Ended):
        hint = "it is started again and goes on: vfiod status"
        return Ended("the vfiod service ended at work", hint)
    if method == "Status":  # answered at once by a service that is well
        return error
    return TimedOut(error.message, "it is still at work; what it does: vfiod status")


def _translate_error(error: BusError) -> VfiodError:
    if error.name.startswith(ABSENT):
        return Unreachable(error.message, error.hint)
    return named(error.name, error.message)
