"""The D-Bus object org.vfiod1: authorise, forward to the manager, answer when it is done.

Everything here runs in the main loop and returns at once; a long handoff is answered from the
worker, so Status never waits for it.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from vfiod.bus.calls import answer, variant
from vfiod.bus.connection import Bus
from vfiod.config.schema import Config
from vfiod.daemon import rights
from vfiod.daemon.answers import answered, refuse_with, when_done
from vfiod.daemon.authority import Authority
from vfiod.daemon.guest_calls import GuestCalls
from vfiod.daemon.interface import HOOK, INTROSPECTION, MANAGER, NAME, PATH
from vfiod.daemon.session_calls import SessionCalls
from vfiod.daemon.starts import Starts
from vfiod.errors import VfiodError
from vfiod.events import Event, Kind
from vfiod.handoff.manager import Manager
from vfiod.handoff.status import StatusReader
from vfiod.handoff.tasks import Start

_RESULTS = frozenset(
    {Kind.HANDOFF_COMPLETE, Kind.REFUSED, Kind.CONFIG_WRONG, Kind.RETURN_COMPLETE, Kind.STUCK}
)
_ACTIONS = {"Return": rights.RETURN, "Rehearse": rights.REHEARSE}


class Service:
    """Publishes the manager on the bus."""

    def __init__(
        self, bus: Bus, manager: Manager, status: StatusReader, load: Callable[[], Config]
    ) -> None:
        self._bus = bus
        self._manager = manager
        self._status = status
        self._authority = Authority(bus)
        self.starts = Starts(
            manager.host.commands, manager.watcher.after, self._emit_properties,
            self._start_ended, status.phase,
        )  # fmt: skip
        parts = (manager.host, self._authority, self.starts, load, status.phase, manager.report)
        self._guests = GuestCalls(*parts, manager.force_off)
        self._sessions = SessionCalls(manager.host.commands, self._authority)
        self._last: dict[str, str] | None = None

    def publish(self) -> None:
        """Serve the object and take the name."""
        self._bus.publish(PATH, INTROSPECTION, self._on_call, self._on_get)
        self._bus.own(NAME)

    def show(self, event: Event) -> None:
        """An event as progress for whoever listens. Called from any thread."""
        if event.kind in _RESULTS:
            self._last = {"result": event.kind.name.lower(), "message": event.message}
        fields = event.fields
        values = [fields.get(name, "") for name in ("GUEST", "DIRECTION", "STEP")]
        self._bus.emit(PATH, f"{MANAGER}.Progress", "ssss", *values, event.message)
        if event.kind is not Kind.STEP_DONE:
            self._emit_properties()

    def _start_ended(self, guest: str, started: bool, message: str) -> None:  # noqa: FBT001
        """Told after all else about it, so that whoever waits for this has heard the rest."""
        self._manager.report(Event(Kind.ASKED, message, {"GUEST": guest}))
        if not started:
            self._last = {"result": "not_started", "message": message}
        self._bus.emit(PATH, f"{MANAGER}.StartEnded", "sbs", guest, started, message)

    def _emit_properties(self) -> None:
        """A state that cannot be read is told to who asks for it, and stops nobody else's work."""
        signal = "org.freedesktop.DBus.Properties.PropertiesChanged"
        with suppress(VfiodError):
            self._bus.emit(PATH, signal, "sa{sv}as", MANAGER, self._properties(), [])

    def _properties(self) -> dict[str, Any]:
        phase, guest = self._status.phase()
        countdown = self.starts.countdown
        return {
            "Phase": variant("s", phase.value),
            "Guest": variant("s", guest),
            "Pending": variant("s", countdown.wish.guest if countdown else ""),
            "PendingUntil": variant("t", countdown.until if countdown else 0),
            "PendingBy": variant("u", countdown.wish.uid if countdown else 0),
        }

    def _on_get(self, name: str) -> Any:
        return self._properties()[name]

    def _on_call(
        self, sender: str, interface: str, method: str, values: Sequence[Any], invocation: Any
    ) -> None:
        with answered(invocation):
            if interface == HOOK:
                self._authority.require_root(sender)
                self._hook(sender, method, values, invocation)
            elif method == "Status":
                answer(invocation, "s", json.dumps(self._facts(), ensure_ascii=False))
            elif method in self._guests:
                self._guests.call(sender, method, values, invocation)
            elif method in self._sessions:
                self._sessions.call(sender, method, values, invocation)
            else:
                self._if_authorised(sender, method, values, invocation)

    def _facts(self) -> dict[str, Any]:
        countdown = self.starts.countdown
        start = countdown and {
            "guest": countdown.wish.guest,
            "until": countdown.until,
            "by": countdown.wish.uid,
        }
        starting = self.starts.under_way or None
        return {**self._status.read(), "last": self._last, "start": start, "starting": starting}

    def _hook(self, sender: str, method: str, values: Sequence[Any], invocation: Any) -> None:
        """libvirt waits for these: only Prepare is answered when the work is done."""
        if method == "Prepare":
            self._prepare(sender, values, invocation)
            return
        if method == "Release":
            self._manager.release(values[0], values[2])
        else:
            # No event tells that a guest runs, so the phase would change unheard.
            watched = self._manager.started(values[0])
            watched.add_done_callback(lambda _: self._emit_properties())
        answer(invocation)

    def _prepare(self, sender: str, values: Sequence[Any], invocation: Any) -> None:
        """A hook that is gone, with libvirt or at its time limit, waits for no handoff."""
        start = Start(values[0])
        future = self._manager.prepare(values[0], values[1], start)
        unwatch = self._bus.watch(sender, lambda: self._manager.give_up(future))
        future.add_done_callback(lambda _: unwatch())
        when_done(invocation, future, not_begun=lambda: start.refusal)

    def _if_authorised(
        self, sender: str, method: str, values: Sequence[Any], invocation: Any
    ) -> None:
        def allowed() -> None:
            with answered(invocation):
                self._do(method, values, invocation)

        self._authority.ask(
            sender, _ACTIONS[method], allowed, lambda error: refuse_with(invocation, error)
        )

    def _do(self, method: str, values: Sequence[Any], invocation: Any) -> None:
        """What a person may ask for."""
        if method == "Return":
            future = self._manager.return_devices(force=values[0])
        else:
            future = self._manager.rehearse(values[0], values[1], keep_desktop=values[2])
        when_done(invocation, future)
