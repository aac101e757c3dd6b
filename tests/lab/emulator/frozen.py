"""A lab stopped at its greeter and kept: waking it up takes seconds, booting it a minute."""

from __future__ import annotations

import logging
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from . import cache
from .hardware import Hardware
from .image import Image
from .machine import Lab
from .recipe import KERNEL_OPTIONS
from .waiting import LabError

log = logging.getLogger(__name__)
SAVE_TIMEOUT = 120.0


def at_greeter(image: Image, hardware: Hardware) -> Image:
    """`image` with the memory of this very hardware at the greeter."""
    name = f"state-{_key(image, hardware)}"
    folder = cache.entry(name, lambda work: _freeze(image, hardware, work))
    return replace(
        image, name=name, disk=folder / "overlay.qcow2", format="qcow2", state=folder / "memory"
    )


def _key(image: Image, hardware: Hardware) -> str:
    """Memory only fits the QEMU and the hardware that it was saved from."""
    done = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, check=True)
    return cache.key(image.name, repr(hardware), " ".join(KERNEL_OPTIONS), done.stdout)


def _freeze(image: Image, hardware: Hardware, work: Path) -> None:
    log.info("booting %s once to keep it at its greeter", image.name)
    with Lab(image, hardware) as lab:
        lab.boot()
        lab.run("systemctl", "is-system-running", "--wait", check=False)
        lab.run("sync")
        lab.ssh.close()
        lab.qmp("stop")
        _save_memory(lab, work / "memory")
        lab.close_qemu()
        shutil.move(lab.wiring.disk, work / "overlay.qcow2")


def _save_memory(lab: Lab, path: Path) -> None:
    lab.qmp("migrate-set-parameters", **{"max-bandwidth": 10 << 30})
    lab.qmp("migrate", uri=f"exec:cat > {path}")
    lab.wait_until("memory saved", lambda: _saved(lab), SAVE_TIMEOUT)


def _saved(lab: Lab) -> bool:
    status = lab.qmp("query-migrate")
    if status.get("status") == "failed":
        raise LabError(f"memory not saved: {status}")
    return bool(status.get("status") == "completed")
