"""Stands in for the daemon on a private bus: shows what it is told to, and remembers its calls.

Takes one JSON object a line on standard input and answers each with a line: ``show`` (the state),
``progress`` (a signal), ``ended`` (a signal), ``refuse`` (a message for a method), nothing.
The answer is what was called so far: calls that change something, and how many only read.
"""

import json
import sys
import threading
from collections.abc import Sequence
from typing import Any

from gi.repository import GLib

from tests.dbus.bus import MANAGER, NAME, PATH
from vfiod.bus.calls import answer, refuse, variant
from vfiod.bus.connection import Bus
from vfiod.daemon.interface import INTROSPECTION
from vfiod.errors import HostError

READS = ("Status", "ListGuests")
# What a daemon of the time before guests were started by it offers.
_OLD = f"""<node><interface name="{MANAGER}">
    <method name="Status"><arg name="json" type="s" direction="out"/></method>
    <method name="Return"><arg name="force" type="b" direction="in"/></method>
    <property name="Phase" type="s" access="read"/>
    <property name="Guest" type="s" access="read"/>
</interface></node>"""


class StandIn:
    """One daemon, or an ``old`` one."""

    def __init__(self, *, old: bool) -> None:
        self._bus = Bus()
        self._state: dict[str, Any] = {}
        self._refusals: dict[str, str] = {}
        self._calls: list[list[Any]] = []
        self._reads = 0
        self._bus.publish(PATH, _OLD if old else INTROSPECTION, self._called, self._read)
        self._has_name = False

    def do(self, order: dict[str, Any]) -> str:
        """Carry out what a line asks for."""
        if "show" in order:
            self._show(order["show"])
        if "progress" in order:
            self._bus.emit(PATH, f"{MANAGER}.Progress", "ssss", *order["progress"])
        if "ended" in order:
            self._bus.emit(PATH, f"{MANAGER}.StartEnded", "sbs", *order["ended"])
        self._refusals.update(order.get("refuse", {}))
        return json.dumps({"calls": self._calls, "reads": self._reads})

    def _show(self, state: dict[str, Any]) -> None:
        """Be in a state. The name is taken once there is one, as the daemon has read its files."""
        self._state = state
        if self._has_name:
            self._emit_properties()
        else:
            self._bus.own(NAME)
            self._has_name = True

    def _called(
        self, _s: str, _i: str, method: str, values: Sequence[Any], invocation: Any
    ) -> None:
        if method in READS:
            self._reads += 1
        else:
            self._calls.append([method, *values])
        if method in self._refusals:
            refuse(invocation, HostError.dbus_name, self._refusals.pop(method))
        elif method in READS:
            shown = self._state["status" if method == "Status" else "guests"]
            answer(invocation, "s", json.dumps(shown, ensure_ascii=False))
        else:
            answer(invocation)

    def _read(self, name: str) -> Any:
        status, pending = self._state["status"], self._state.get("pending") or {}
        return {
            "Phase": variant("s", status["phase"]),
            "Guest": variant("s", status["guest"] or ""),
            "Pending": variant("s", pending.get("guest", "")),
            "PendingUntil": variant("t", pending.get("until", 0)),
            "PendingBy": variant("u", 1000),
        }[name]

    def _emit_properties(self) -> None:
        changed = {name: self._read(name) for name in ("Phase", "Guest", "Pending", "PendingUntil")}
        signal = "org.freedesktop.DBus.Properties.PropertiesChanged"
        self._bus.emit(PATH, signal, "sa{sv}as", MANAGER, changed, [])


def main(*options: str) -> None:
    """Serve until the input ends."""
    standin = StandIn(old="old" in options)
    loop = GLib.MainLoop()

    def listen() -> None:
        print("ready", flush=True)
        for line in sys.stdin:
            print(standin.do(json.loads(line)), flush=True)
        loop.quit()

    threading.Thread(target=listen, daemon=True).start()
    loop.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
