"""The D-Bus object org.vfiod1: authorise, forward to the manager, answer when it is done.

Everything here runs in the main loop and returns at once; a long handoff is answered from the
worker, so Status never waits for it.
"""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from vfiod.bus import Bus, answer, refuse, variant
from vfiod.errors import Busy, HostError, NotAuthorized, VfiodError
from vfiod.events import Event, Kind
from vfiod.handoff.manager import Manager
from vfiod.handoff.status import StatusReader

NAME = "org.vfiod1"
PATH = "/org/vfiod1"
HOOK = "org.vfiod1.Hook"
MANAGER = "org.vfiod1.Manager"
ACTIONS = {"Return": "org.vfiod1.return", "Rehearse": "org.vfiod1.rehearse"}
REFUSALS = {"Return": "take the devices back", "Rehearse": "rehearse a handoff"}
_ASK_SECONDS = 120.0
_POLKIT = "org.freedesktop.PolicyKit1"

INTROSPECTION = f"""<node>
  <interface name="{HOOK}">
    <method name="Prepare">
      <arg name="guest" type="s" direction="in"/><arg name="xml" type="s" direction="in"/>
    </method>
    <method name="Started">
      <arg name="guest" type="s" direction="in"/><arg name="xml" type="s" direction="in"/>
    </method>
    <method name="Release">
      <arg name="guest" type="s" direction="in"/><arg name="xml" type="s" direction="in"/>
      <arg name="reason" type="s" direction="in"/>
    </method>
    <method name="Reconnect">
      <arg name="guest" type="s" direction="in"/><arg name="xml" type="s" direction="in"/>
    </method>
  </interface>
  <interface name="{MANAGER}">
    <method name="Status"><arg name="json" type="s" direction="out"/></method>
    <method name="Return"><arg name="force" type="b" direction="in"/></method>
    <method name="Rehearse">
      <arg name="guest" type="s" direction="in"/><arg name="xml" type="s" direction="in"/>
      <arg name="keep_desktop" type="b" direction="in"/>
    </method>
    <property name="Phase" type="s" access="read"/>
    <property name="Guest" type="s" access="read"/>
    <signal name="Progress">
      <arg name="guest" type="s"/><arg name="direction" type="s"/><arg name="step" type="s"/>
      <arg name="message" type="s"/>
    </signal>
  </interface>
</node>"""

Done = Callable[[], None]


class Service:
    """Publishes the manager on the bus."""

    def __init__(self, bus: Bus, manager: Manager, status: StatusReader) -> None:
        self._bus = bus
        self._manager = manager
        self._status = status
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

    def _emit_properties(self) -> None:
        phase, guest = self._status.phase()
        changed = {"Phase": variant("s", phase.value), "Guest": variant("s", guest)}
        signal = "org.freedesktop.DBus.Properties.PropertiesChanged"
        self._bus.emit(PATH, signal, "sa{sv}as", MANAGER, changed, [])

    def _on_get(self, name: str) -> Any:
        phase, guest = self._status.phase()
        return variant("s", phase.value if name == "Phase" else guest)

    def _on_call(
        self, sender: str, interface: str, method: str, values: Sequence[Any], invocation: Any
    ) -> None:
        try:
            if interface == HOOK:
                self._require_root(sender)
                self._hook(sender, method, values, invocation)
            elif method == "Status":
                facts = {**self._status.read(), "last": self._last}
                answer(invocation, "s", json.dumps(facts, ensure_ascii=False))
            else:
                self._if_authorised(
                    sender, method, invocation, lambda: self._do(method, values, invocation)
                )
        except VfiodError as error:
            refuse(invocation, error.dbus_name, str(error))
        except Exception as error:
            refuse(invocation, VfiodError.dbus_name, f"internal error: {error!r}")
            raise

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
        future = self._manager.prepare(values[0], values[1])
        unwatch = self._bus.watch(sender, lambda: self._manager.give_up(future))
        future.add_done_callback(lambda _: unwatch())
        _answer_when_done(invocation, future)

    def _do(self, method: str, values: Sequence[Any], invocation: Any) -> None:
        """What a person may ask for."""
        if method == "Return":
            future = self._manager.return_devices(force=values[0])
        else:
            future = self._manager.rehearse(values[0], values[1], keep_desktop=values[2])
        _answer_when_done(invocation, future)

    def _require_root(self, sender: str) -> None:
        """The bus policy says so too; this holds where the policy is not installed."""
        if self._bus.uid_of(sender) != 0:
            raise NotAuthorized("only root may call this")

    def _if_authorised(self, sender: str, method: str, invocation: Any, then: Done) -> None:
        """Ask polkit without waiting in the main loop (polkit(8), CheckAuthorization)."""
        if self._bus.uid_of(sender) == 0:
            then()
            return

        def answered(values: Any, error: HostError | None) -> None:
            if error is None and values[0][0]:
                then()
            else:
                text = f"you may not {REFUSALS[method]}. Run it as root, or with sudo"
                refuse(invocation, NotAuthorized.dbus_name, text)

        subject = ("system-bus-name", {"name": variant("s", sender)})
        may_ask = 1
        self._bus.call_later(
            _POLKIT,
            f"/{_POLKIT.replace('.', '/')}/Authority",
            f"{_POLKIT}.Authority.CheckAuthorization",
            "(sa{sv})sa{ss}us",
            (subject, ACTIONS[method], {}, may_ask, ""),
            answered,
            seconds=_ASK_SECONDS,
        )


_RESULTS = frozenset(
    {Kind.HANDOFF_COMPLETE, Kind.REFUSED, Kind.CONFIG_WRONG, Kind.RETURN_COMPLETE, Kind.STUCK}
)


_NOT_BEGUN = "nothing was done: the daemon is being stopped, or nobody waits for it any more"


def _answer_when_done(invocation: Any, future: "Future[None]") -> None:
    def done(ended: "Future[None]") -> None:
        if ended.cancelled():
            refuse(invocation, Busy.dbus_name, _NOT_BEGUN)
            return
        error = ended.exception()
        if error is None:
            answer(invocation)
        elif isinstance(error, VfiodError):
            refuse(invocation, error.dbus_name, str(error))
        else:
            refuse(invocation, VfiodError.dbus_name, f"internal error: {error!r}")

    future.add_done_callback(done)
