"""A compositor that speaks sway's IPC: a socket with windows behind it."""

import json
import socket
import struct
import threading
from pathlib import Path
from typing import Any

HEAD = struct.Struct("=6sII")


class FakeSway:
    """``stubborn`` windows ask the person first. It keeps answering until it is told to end."""

    def __init__(self, path: Path, windows: dict[int, str], stubborn: frozenset[int]) -> None:
        self.windows, self.stubborn = dict(windows), stubborn
        self.commands: list[str] = []
        self.ended = False
        self.says: bytes | None = None  # in place of every answer
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        magic, length, kind = HEAD.unpack(connection.recv(HEAD.size, socket.MSG_WAITALL))
        assert magic == b"i3-ipc"
        payload = connection.recv(length, socket.MSG_WAITALL).decode() if length else ""
        body = json.dumps(self._tree() if kind == 4 else self._do(payload)).encode()
        whole = HEAD.pack(b"i3-ipc", len(body), kind) + body
        connection.sendall(whole if self.says is None else self.says)

    def _do(self, command: str) -> Any:
        self.commands.append(command)
        if command == "exit":
            self.ended = True
        else:
            number = int(command.removeprefix("[con_id=").removesuffix("] kill"))
            if number not in self.stubborn:
                self.windows.pop(number)
        return [{"success": True}]

    def _tree(self) -> Any:
        """A root, an output and its workspace, windows side by side and one that floats."""
        cons = [self._con(number) for number in self.windows]
        workspace = {"id": 3, "type": "workspace", "nodes": cons[1:], "floating_nodes": cons[:1]}
        bar = {"id": 9, "type": "dockarea", "nodes": [{"id": 10, "window": 77, "nodes": []}]}
        output = {"id": 2, "type": "output", "nodes": [bar, workspace]}
        return {"id": 1, "type": "root", "nodes": [output]}

    def _con(self, number: int) -> Any:
        name = self.windows[number]
        if name.isupper():  # by X11
            return {"id": number, "window": 5, "app_id": None, "window_properties": {"class": name}}
        return {"id": number, "pid": 500, "app_id": name, "nodes": [], "floating_nodes": []}
