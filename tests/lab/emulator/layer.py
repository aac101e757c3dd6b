"""Layers over the base image: one booted once (caches filled), one with the package on top."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from . import cache, image, offline, qcow2
from .image import Image
from .machine import Lab

log = logging.getLogger(__name__)
# libvirt tries KVM with QEMU at the first look and remembers what it found. Once in a while the
# emulator freezes at that: here rather than in a test.
_LOOK = ("virsh", "domcapabilities")
_INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends", "/tmp/vfiod.deb")
_DISK = "overlay.qcow2"


def prepared(suite: str, deb: Path | None = None, desktop: str = "lightdm") -> Image:
    """The image every lab of this suite runs on, with the package installed if one is given."""
    base = image.base(suite, desktop)
    key = cache.key(base.name, *_LOOK)
    booted = _layer(base, f"layer-{suite}-{key}", lambda work: _boot(base, work))
    if deb is None:
        return booted
    digest = hashlib.sha256(deb.read_bytes()).hexdigest()
    key = cache.key(booted.name, digest, *_INSTALL)
    return _layer(booted, f"layer-{suite}-{key}", lambda work: _install(booted, deb, work))


def _layer(below: Image, name: str, build: Callable[[Path], None]) -> Image:
    return replace(below, name=name, disk=cache.entry(name, build) / _DISK, format="qcow2")


def _boot(base: Image, work: Path) -> None:
    log.info("booting %s once to prepare it", base.name)
    with Lab(base) as lab:
        lab.boot()
        lab.run("systemctl", "is-system-running", "--wait", check=False)
        lab.run(*_LOOK, timeout=120)
        lab.power_off()
        shutil.move(lab.wiring.disk, work / _DISK)


def _install(booted: Image, deb: Path, work: Path) -> None:
    log.info("installing %s into %s", deb.name, booted.name)
    qcow2.create_overlay(work / _DISK, booted.disk, booted.format)
    if offline.install(work / _DISK, deb, _INSTALL):
        return
    with Lab(booted) as lab:
        lab.boot()
        install(lab, deb)
        lab.power_off()
        shutil.move(lab.wiring.disk, work / _DISK)


def install(lab: Lab, deb: Path) -> str:
    """Install a package file whose dependencies the image has; what apt said."""
    lab.put(deb.read_bytes(), "/tmp/vfiod.deb")
    done = lab.run("env", "DEBIAN_FRONTEND=noninteractive", *_INSTALL, timeout=300)
    return done.stdout + done.stderr
