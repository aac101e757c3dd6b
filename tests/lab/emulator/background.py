"""A lab left running in the background: remembered in one file, found again, stopped by pid."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

from . import cache
from .hardware import Hardware, Wiring
from .image import Image, ssh_key
from .machine import Lab
from .monitor import Monitor
from .ssh import Ssh
from .waiting import LabError, wait_until


@dataclass(frozen=True)
class Running:
    """What is needed to reach the lab and to stop it."""

    pid: int
    port: int
    folder: Path

    @property
    def wiring(self) -> Wiring:
        return Wiring(self.folder, self.port)

    @property
    def alive(self) -> bool:
        """Whether the process of that number is still this lab's QEMU."""
        try:
            command = Path(f"/proc/{self.pid}/cmdline").read_bytes()
        except FileNotFoundError:
            return False
        return str(self.folder).encode() in command


def up(image: Image, hardware: Hardware) -> Running:
    """Start a lab that outlives this process, at its greeter."""
    if _file().exists() and find().alive:
        raise LabError("a lab is running already: stop it with `python3 -m tests.lab down`")
    lab = Lab(image, hardware)
    try:
        lab.boot(detached=True)
    except BaseException:
        lab.close()
        raise
    lab.release()
    running = Running(lab.pid, lab.wiring.port, lab.wiring.folder)
    _file().write_text(json.dumps([running.pid, running.port, str(running.folder)]))
    return running


def find() -> Running:
    """The lab that `up` has left running."""
    if not _file().exists():
        raise LabError("no lab is running: start one with `python3 -m tests.lab up`")
    pid, port, folder = json.loads(_file().read_text())
    return Running(pid, port, Path(folder))


def ssh_line(running: Running) -> str:
    """The command a person types to get into it."""
    return shlex.join(Ssh(running.port, ssh_key(), running.folder).command())


def screenshot(path: Path) -> None:
    """Write what its GPU shows."""
    monitor = Monitor(find().wiring.qmp)
    try:
        monitor.screenshot().save(path)
    finally:
        monitor.close()


def down() -> None:
    """Stop it and remove its files."""
    running = find()
    if running.alive:
        os.kill(running.pid, signal.SIGKILL)
        wait_until("end of QEMU", lambda: not running.alive, timeout=20)
    shutil.rmtree(running.folder, ignore_errors=True)
    _file().unlink()


def _file() -> Path:
    return cache.root() / "running.json"
