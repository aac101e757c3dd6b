"""sway and i3 by their socket (sway-ipc(7), i3: docs/ipc).

A message is "i3-ipc", the length of its payload, its type and the payload, JSON in answers.
"""

import json
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vfiod.errors import HostError
from vfiod.tools.goodbye.surroundings import Surroundings
from vfiod.tools.goodbye.windows import Window

_MAGIC = b"i3-ipc"
_HEAD = struct.Struct("=6sII")
_RUN_COMMAND, _GET_TREE = 0, 4
_SECONDS = 5.0
_MOST = 2**24


def socket_of(around: Surroundings) -> Path:
    """Where its socket is: each names it after its process (sway: ipc-server.c; i3: main.c)."""
    if around.compositor == "i3":
        return around.runtime / f"i3/ipc-socket.{around.pid}"
    uid = around.runtime.name
    return around.runtime / f"sway-ipc.{uid}.{around.pid}.sock"


class Sway:
    """Implements vfiod.tools.goodbye.windows.Compositor."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def windows(self) -> Sequence[Window]:
        """Leaves of the tree with a process behind them; those in the scratchpad are in it too."""
        return [Window(str(n["id"]), _program(n)) for n in _leaves(self._ask(_GET_TREE))]

    def close(self, window: Window) -> None:
        self._ask(_RUN_COMMAND, f"[con_id={window.handle}] kill")

    def end(self) -> None:
        self._ask(_RUN_COMMAND, "exit")

    def _ask(self, kind: int, payload: str = "") -> Any:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_SECONDS)
                connection.connect(str(self._path))
                body = payload.encode()
                connection.sendall(_HEAD.pack(_MAGIC, len(body), kind) + body)
                magic, length, _ = _HEAD.unpack(_receive(connection, _HEAD.size))
                if magic != _MAGIC or length > _MOST:
                    raise HostError(f"{self._path}: not an answer of sway's")
                return json.loads(_receive(connection, length).decode(errors="replace"))
        except (OSError, ValueError, RecursionError) as error:
            raise HostError(f"{self._path}: {error}") from error


def _receive(connection: socket.socket, length: int) -> bytes:
    received = bytearray()
    while len(received) < length:
        more = connection.recv(length - len(received))
        if not more:
            raise HostError("the compositor has closed its socket")
        received += more
    return bytes(received)


def _leaves(node: Any) -> Iterator[Mapping[str, Any]]:
    """Windows of Wayland have a pid, those of X11 a number in i3, and properties in both."""
    if not isinstance(node, dict) or node.get("type") == "dockarea":  # of i3, for bars
        return
    inner = [*(node.get("nodes") or ()), *(node.get("floating_nodes") or ())]
    for each in inner:
        yield from _leaves(each)
    if not inner and "id" in node and (node.get("pid") or node.get("window")):
        yield node


def _program(node: Mapping[str, Any]) -> str:
    properties = node.get("window_properties")
    named = properties.get("class") if isinstance(properties, dict) else None
    return str(node.get("app_id") or named or "a window")
