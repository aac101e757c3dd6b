"""Somebody far away who looks at a desktop by VNC, through a socket that ssh forwards."""

from __future__ import annotations

import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from .emulator.machine import Lab

_SECONDS = 60.0
_NONE, _RAW = 1, 0
_BGRX = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)


class Viewer:
    """A connection by RFB 3.8 (RFC 6143) without security, that asks for whole pictures."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, ConnectionError for what does not answer as it should."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_SECONDS)
        connection.connect(str(path))
        self._stream = connection.makefile("rwb")
        connection.close()  # the stream keeps it
        self._size = self._greet()

    def close(self) -> None:
        """Hang up."""
        self._stream.close()

    def picture(self) -> Image.Image:
        """All that the desktop shows now."""
        width, height = self._size
        self._send(struct.pack(">BBHHHH", 3, 0, 0, 0, width, height))
        found = Image.new("RGB", self._size)
        missing = width * height
        while missing > 0:
            missing -= self._update(found)
        return found

    def _greet(self) -> tuple[int, int]:
        self._read(12)
        self._send(b"RFB 003.008\n")
        offered = self._read(self._read(1)[0])
        if _NONE not in offered:
            raise ConnectionError(f"the server wants security of the types {list(offered)}")
        self._send(bytes([_NONE]))
        if self._read(4) != bytes(4):
            raise ConnectionError("the server refused")
        self._send(b"\x01")
        width, height = struct.unpack(">HH", self._read(4))
        self._read(16)
        self._read(struct.unpack(">I", self._read(4))[0])
        self._send(b"\x00\x00\x00\x00" + _BGRX + struct.pack(">BxHi", 2, 1, _RAW))
        return width, height

    def _update(self, onto: Image.Image) -> int:
        """Draw the rectangles of one update; how many pixels they have."""
        kind = self._read(1)[0]
        if kind != 0:
            raise ConnectionError(f"a message of the kind {kind} instead of a picture")
        drawn = 0
        (count,) = struct.unpack(">xH", self._read(3))
        for _ in range(count):
            x, y, width, height, encoding = struct.unpack(">HHHHi", self._read(12))
            if encoding != _RAW:
                raise ConnectionError(f"pixels in the encoding {encoding}, which was not asked for")
            data = self._read(width * height * 4)
            part = Image.frombytes("RGB", (width, height), data, "raw", "BGRX")
            onto.paste(part, (x, y))
            drawn += width * height
        return drawn

    def _read(self, size: int) -> bytes:
        data = self._stream.read(size)
        if len(data) < size:
            raise ConnectionError("the server hung up")
        return data

    def _send(self, data: bytes) -> None:
        self._stream.write(data)
        self._stream.flush()


@contextmanager
def from_afar(lab: Lab, user: str, path: str) -> Iterator[Viewer]:
    """As ``user``, with nothing but ssh, at a socket in the lab."""
    here = lab.wiring.folder / "vnc"
    here.unlink(missing_ok=True)
    lab.ssh.connect(user)
    *command, destination = lab.ssh.command(user)
    forward = ["-O", "forward", "-L", f"{here}:{path}"]
    subprocess.run([*command, *forward, destination], check=True, timeout=_SECONDS)
    viewer = Viewer(here)
    try:
        yield viewer
    finally:
        viewer.close()
