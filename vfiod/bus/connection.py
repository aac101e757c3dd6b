"""The one door to D-Bus: pydbus' system bus connection, called and published through Gio.

Calls are bounded and safe from any thread; signals arrive in the main loop's thread. Gio is
used below pydbus' proxies because those cannot answer a call later (one long handoff would
block every other caller) and have no time limit of their own. So a distribution that has
dropped pydbus loses nothing: the connection is Gio's in either case.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from gi.repository import Gio, GLib

from vfiod.bus.calls import balance
from vfiod.bus.errors import BusError, translate
from vfiod.bus.gone import is_gone
from vfiod.errors import HostError

try:
    import pydbus
except Exception:  # nobody looks after it any more: it may fail with anything
    pydbus = None

CALL_SECONDS = 10.0
_PROPERTIES = "org.freedesktop.DBus.Properties"
_NO_FLAGS = Gio.DBusCallFlags.NONE

MethodHandler = Callable[[str, str, str, Sequence[Any], Any], None]
PropertyReader = Callable[[str], Any]


class Bus:
    """A connection to the system bus (DBUS_SYSTEM_BUS_ADDRESS in tests), or a session's."""

    def __init__(self, *, of_session: bool = False) -> None:
        which = "session" if of_session else "system"
        try:
            self._connection = _session_bus() if of_session else _system_bus()
        except GLib.Error as error:
            text = f"the {which} bus does not answer: {error.message}"
            raise HostError(text, "see: systemctl status dbus") from error

    def call(
        self,
        service: str,
        path: str,
        method: str,
        signature: str = "",
        *arguments: Any,
        seconds: float = CALL_SECONDS,
    ) -> Any:
        """Call INTERFACE.METHOD and return its values. Raises BusError, or TimedOut."""
        interface, name = method.rsplit(".", 1)
        body = GLib.Variant(f"({signature})", arguments)
        call = self._connection.call_sync
        try:
            reply = call(
                service, path, interface, name, body, None, _NO_FLAGS, _milli(seconds), None
            )
        except GLib.Error as error:
            raise translate(error, service, method) from error
        return reply.unpack()

    def call_for_fd(
        self, service: str, path: str, method: str, signature: str, *arguments: Any
    ) -> int:
        """Call a method that answers with one file descriptor, which the caller then owns."""
        interface, name = method.rsplit(".", 1)
        body = GLib.Variant(f"({signature})", arguments)
        call = self._connection.call_with_unix_fd_list_sync
        try:
            _, fds = call(
                service, path, interface, name, body, None, _NO_FLAGS, _milli(CALL_SECONDS),
                None, None,
            )  # fmt: skip
        except GLib.Error as error:
            raise translate(error, service, method) from error
        return int(fds.get(0))

    def call_later(
        self,
        service: str,
        path: str,
        method: str,
        signature: str,
        arguments: Sequence[Any],
        then: Callable[[Any, HostError | None], None],
        *,
        seconds: float,
    ) -> None:
        """Call without waiting; ``then`` gets the values or the error in the main loop."""
        interface, name = method.rsplit(".", 1)

        def finished(connection: Any, result: Any) -> None:
            try:
                reply = connection.call_finish(result)
            except GLib.Error as error:
                then(None, translate(error, service, method))
            else:
                then(reply.unpack(), None)

        body = GLib.Variant(f"({signature})", tuple(arguments))
        self._connection.call(
            service, path, interface, name, body, None, _NO_FLAGS, _milli(seconds), None, finished
        )

    def get(self, service: str, path: str, prop: str) -> Any:
        """Read INTERFACE.PROPERTY."""
        interface, name = prop.rsplit(".", 1)
        return self.call(service, path, f"{_PROPERTIES}.Get", "ss", interface, name)[0]

    def get_each(
        self, service: str, paths: Sequence[str], interface: str, names: Sequence[str]
    ) -> Sequence[Mapping[str, Any] | None]:
        """Read these properties of several objects, all asked at once: a call costs its waiting.

        None for an object that is not there (any more). Raises BusError if one cannot be asked, or
        TimedOut, as each call is bounded.
        """
        found: dict[str, Any] = {}

        def finished(connection: Any, result: Any, path: str) -> None:
            try:
                found[path] = connection.call_finish(result)
            except GLib.Error as error:
                found[path] = translate(error, service, "GetAll")

        body = GLib.Variant("(s)", (interface,))
        with _own_context() as context:
            for path in paths:
                self._connection.call(
                    service, path, _PROPERTIES, "GetAll", body, GLib.VariantType("(a{sv})"),
                    _NO_FLAGS, _milli(CALL_SECONDS), None, finished, path,
                )  # fmt: skip
            while len(found) < len(set(paths)):
                context.iteration(True)  # noqa: FBT003
        return [_pick(found[path], names) for path in paths]

    def subscribe(self, service: str, signal: str, then: Callable[[Sequence[Any]], None]) -> int:
        """Have ``then`` called with the values of every INTERFACE.SIGNAL of the service."""
        interface, name = signal.rsplit(".", 1)

        def received(_c: Any, _s: str, _p: str, _i: str, _n: str, values: Any) -> None:
            then(values.unpack())

        flags = Gio.DBusSignalFlags.NONE
        return int(
            self._connection.signal_subscribe(service, interface, name, None, None, flags, received)
        )

    def watch(self, name: str, gone: Callable[[], object]) -> Callable[[], None]:
        """Have ``gone`` called in the main loop once nobody has this bus name any more.

        Returns what ends that.
        """
        none = Gio.BusNameWatcherFlags.NONE
        number = Gio.bus_watch_name_on_connection(
            self._connection, name, none, None, lambda _connection, _name: gone()
        )
        return lambda: Gio.bus_unwatch_name(number)

    def emit(self, path: str, signal: str, signature: str, *values: Any) -> None:
        """Send a signal to everybody; once the bus is gone that is nobody, which is no failure."""
        interface, name = signal.rsplit(".", 1)
        body = GLib.Variant(f"({signature})", values)
        with suppress(GLib.Error):
            self._connection.emit_signal(None, path, interface, name, body)

    def flush(self) -> None:
        """Wait until what was sent has left; a process that ends would take it along.

        Bounded by the unit's TimeoutStopSec= where the bus does not read any more.
        """
        with suppress(GLib.Error):
            self._connection.flush_sync(None)

    def uid_of(self, sender: str) -> int:
        """User id of a caller."""
        dbus = "org.freedesktop.DBus"
        method = f"{dbus}.GetConnectionUnixUser"
        return int(self.call(dbus, "/org/freedesktop/DBus", method, "s", sender)[0])

    def publish(
        self, path: str, introspection: str, on_call: MethodHandler, on_get: PropertyReader
    ) -> None:
        """Serve an object; ``on_call(sender, interface, method, values, invocation)`` answers
        now or later, from any thread, through answer() or refuse().
        """

        def called(
            _c: Any, sender: str, _p: str, interface: str, method: str, values: Any, inv: Any
        ) -> None:
            on_call(sender, interface, method, values.unpack(), inv)
            balance(inv)

        def got(_c: Any, _s: str, _p: str, _i: str, name: str) -> Any:
            return on_get(name)

        register = getattr(
            self._connection, "register_object_with_closures2", self._connection.register_object
        )
        for interface in Gio.DBusNodeInfo.new_for_xml(introspection).interfaces:
            register(path, interface, called, got, None)

    def own(self, name: str) -> None:
        """Take a well-known name. Raises HostError if somebody else has it."""
        method = "org.freedesktop.DBus.RequestName"
        do_not_queue = 4
        answer = self.call(
            "org.freedesktop.DBus", "/org/freedesktop/DBus", method, "su", name, do_not_queue
        )[0]
        if answer not in (1, 4):
            raise HostError(f"another process has the bus name {name}", "is vfiod running twice?")


def _system_bus() -> Any:
    return pydbus.SystemBus().con if pydbus else Gio.bus_get_sync(Gio.BusType.SYSTEM, None)


def _session_bus() -> Any:
    connection = Gio.bus_get_sync(Gio.BusType.SESSION, None)
    connection.set_exit_on_close(False)
    return connection


@contextmanager
def _own_context() -> Iterator[Any]:
    """Answers to this thread's calls come to it, not to the main loop."""
    context = GLib.MainContext.new()
    context.push_thread_default()
    try:
        yield context
    finally:
        context.pop_thread_default()


def _pick(answer: Any, names: Sequence[str]) -> Mapping[str, Any] | None:
    """Some of a GetAll's values; to unpack all of a session's takes as long as the call."""
    if isinstance(answer, BusError) and is_gone(answer):
        return None
    if isinstance(answer, HostError):
        raise answer
    values = answer.get_child_value(0)
    return {n: v.unpack() for n in names if (v := values.lookup_value(n, None)) is not None}


def _milli(seconds: float) -> int:
    return max(1, int(seconds * 1000))
