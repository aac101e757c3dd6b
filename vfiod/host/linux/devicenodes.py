"""The device nodes of PCI functions, by number: those that keep a driver busy while open."""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from vfiod.host.linux.statx import Number
from vfiod.model import PciAddress
from vfiod.util import sysfs

# Subsystems whose open nodes make a driver's remove() wait, or keep its module in use.
HELD_SUBSYSTEMS = ("drm", "drm_dp_aux_dev", "graphics", "sound", "i2c-dev")
# NVIDIA's fixed numbers (its nv.h): a minor for each card, and two that all cards share.
_NVIDIA_MAJOR, _NVIDIA_CTL, _NVIDIA_MODESET = 195, 255, 254
# Character devices with a major of their own choice, for all cards (its nvidia-uvm, nv-caps.c).
_NVIDIA_SHARED = re.compile(r"^ *(\d+) (nvidia-uvm|nvidia-caps\S*)$", re.MULTILINE)
_MINOR = re.compile(r"^Device Minor:\s*(\d+)$", re.MULTILINE)


class DeviceNodes:
    """Reads /sys and, for what drivers make without a parent, /proc."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._sys = root / "sys"

    def of(self, addresses: Collection[PciAddress]) -> Mapping[Number, str]:
        """Numbers of the functions' nodes, each with the name that udev gives it.

        Nodes that several cards of a driver share count only if no other card has that driver:
        they say nothing of which card somebody uses.
        """
        return {**dict(self._below(addresses)), **dict(self._without_parent(addresses))}

    def _below(self, addresses: Collection[PciAddress]) -> Iterator[tuple[Number, str]]:
        """Nodes below the functions, by the links of their classes."""
        wanted = {str(address) for address in addresses}
        for subsystem in HELD_SUBSYSTEMS:
            folder = self._sys / "class" / subsystem
            for name in sysfs.names(folder) if wanted else ():
                with suppress(OSError):
                    if _belongs_to(os.readlink(folder / name), wanted):
                        yield from self._node(folder / name)

    def _node(self, device: Path) -> Iterator[tuple[Number, str]]:
        number = _number(sysfs.read(device / "dev") or "")
        for line in (sysfs.read(device / "uevent") or "").splitlines():
            if number is not None and line.startswith("DEVNAME="):
                yield number, f"/dev/{line.removeprefix('DEVNAME=')}"

    def _without_parent(self, addresses: Collection[PciAddress]) -> Iterator[tuple[Number, str]]:
        devices = self._sys / "bus/pci/devices"
        drivers = {a: sysfs.read_link(devices / str(a) / "driver") for a in addresses}
        for address in (a for a, driver in drivers.items() if driver == "nvidia"):
            yield from self._nvidia_card(address)
        if "nvidia" in drivers.values() and not self._others("nvidia", addresses):
            yield from self._nvidia_shared()
        if "amdgpu" in drivers.values() and not self._others("amdgpu", addresses):
            number = _number(sysfs.read(self._sys / "class/kfd/kfd/dev") or "")
            yield from [(number, "/dev/kfd")] if number is not None else ()

    def _nvidia_card(self, address: PciAddress) -> Iterator[tuple[Number, str]]:
        about = self._root / f"proc/driver/nvidia/gpus/{address}/information"
        if found := _MINOR.search(sysfs.read(about) or ""):
            yield (_NVIDIA_MAJOR, int(found[1])), f"/dev/nvidia{found[1]}"

    def _nvidia_shared(self) -> Iterator[tuple[Number, str]]:
        yield from (((_NVIDIA_MAJOR, n), f"/dev/nvidia{n}") for n in range(_NVIDIA_MODESET))
        yield (_NVIDIA_MAJOR, _NVIDIA_MODESET), "/dev/nvidia-modeset"
        yield (_NVIDIA_MAJOR, _NVIDIA_CTL), "/dev/nvidiactl"
        devices = sysfs.read(self._root / "proc/devices") or ""
        for major, name in _NVIDIA_SHARED.findall(devices.partition("Block devices:")[0]):
            # Two minors of uvm; the capabilities have one for each, far fewer than these.
            yield from (((int(major), minor), f"/dev/{name}") for minor in range(64))

    def _others(self, driver: str, addresses: Collection[PciAddress]) -> bool:
        """Whether the driver has a function that stays."""
        own = {str(address) for address in addresses}
        bound = sysfs.names(self._sys / "bus/pci/drivers" / driver)
        return any(":" in name and "." in name and name not in own for name in bound)


def _number(text: str) -> Number | None:
    """What a ``dev`` attribute says."""
    major, _, minor = text.partition(":")
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else None


def _belongs_to(device: str, functions: Collection[str]) -> bool:
    """Whether a device's path leads through one of the functions to it, and no other device.

    What is behind a bridge or a USB hub are devices of their own.
    """
    for part in reversed(device.split("/")):
        if part in functions:
            return True
        if part.startswith("usb") or ":" in part:
            return False
    return False
