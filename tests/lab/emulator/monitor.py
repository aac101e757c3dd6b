"""QEMU's own view of the lab: QMP commands and pictures of the GPU's screen."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from PIL import Image as Picture
from qemu.qmp.legacy import QEMUMonitorProtocol

from .waiting import wait_until


class Monitor:
    """One QMP connection, made when it is first needed."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._protocol: QEMUMonitorProtocol | None = None

    def command(self, name: str, **arguments: Any) -> Any:
        """Run one QMP command and return its answer; events that came meanwhile are dropped."""
        if self._protocol is None:
            wait_until("QMP socket", self._socket.exists, timeout=20, pause=0.05)
            self._protocol = QEMUMonitorProtocol(str(self._socket))
            self._protocol.connect()
        self._protocol.clear_events()
        return self._protocol.cmd(name, **arguments)

    def screenshot(self, device: str = "gpu") -> Picture.Image:
        """What a monitor plugged into `device` shows right now."""
        with tempfile.NamedTemporaryFile(suffix=".ppm") as shot:
            self.command("screendump", filename=shot.name, device=device)
            with Picture.open(shot.name) as picture:
                return picture.convert("RGB")

    def close(self) -> None:
        """Let go of the connection."""
        if self._protocol is not None:
            self._protocol.close()
            self._protocol = None
