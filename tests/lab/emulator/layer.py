"""Layers over the base image: booted once (caches filled, package installed), then powered off."""

from __future__ import annotations

import hashlib
import logging
import shutil
from dataclasses import replace
from pathlib import Path

from . import cache, image
from .image import Image
from .machine import Lab

log = logging.getLogger(__name__)
# libvirt tries KVM with QEMU at the first look and remembers what it found. Once in a while the
# emulator freezes at that: here rather than in a test.
_LOOK = ("virsh", "domcapabilities")
_INSTALL = "apt-get install --yes --no-install-recommends /tmp/vfiod.deb"


def prepared(suite: str, deb: Path | None = None, desktop: str = "lightdm") -> Image:
    """The image every lab of this suite runs on, with the package installed if one is given."""
    base = image.base(suite, desktop)
    digest = hashlib.sha256(deb.read_bytes()).hexdigest() if deb else "none"
    name = f"layer-{suite}-{cache.key(base.name, digest, _INSTALL, *_LOOK)}"
    folder = cache.entry(name, lambda work: _build(base, deb, work))
    return replace(base, name=name, disk=folder / "overlay.qcow2", format="qcow2")


def _build(base: Image, deb: Path | None, work: Path) -> None:
    log.info("booting the lab once to prepare it%s", f" with {deb.name}" if deb else "")
    with Lab(base) as lab:
        lab.boot()
        if deb:
            install(lab, deb)
        lab.run("systemctl", "is-system-running", "--wait", check=False)
        lab.run(*_LOOK, timeout=120)
        lab.power_off()
        shutil.move(lab.wiring.disk, work / "overlay.qcow2")


def install(lab: Lab, deb: Path) -> str:
    """Install a package file whose dependencies the image has; what apt said."""
    lab.put(deb.read_bytes(), "/tmp/vfiod.deb")
    done = lab.sh(f"DEBIAN_FRONTEND=noninteractive {_INSTALL}", timeout=300)
    return done.stdout + done.stderr
