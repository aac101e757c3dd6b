"""The handoff done by hand, without vfiod: what the lab must be able to do before vfiod can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .emulator.machine import Lab

_GIVE = """
systemctl stop display-manager
for console in /sys/class/vtconsole/vtcon*; do
    if grep -q 'frame buffer' "$console/name"; then echo 0 > "$console/bind"; fi
done
modprobe vfio-pci
for function in {functions}; do
    device=/sys/bus/pci/devices/$function
    echo vfio-pci > "$device/driver_override"
    if [ -e "$device/driver" ]; then echo "$function" > "$device/driver/unbind"; fi
    echo "$function" > /sys/bus/pci/drivers_probe
done
"""
_TAKE_BACK = """
for function in {functions}; do
    device=/sys/bus/pci/devices/$function
    echo > "$device/driver_override"
    echo "$function" > "$device/driver/unbind"
    echo "$function" > /sys/bus/pci/drivers_probe
done
systemctl start display-manager
"""


def give(lab: Lab, functions: Sequence[str]) -> None:
    """Stop the desktop and bind the functions to vfio-pci."""
    lab.sh(_GIVE.format(functions=" ".join(functions)))


def take_back(lab: Lab, functions: Sequence[str]) -> None:
    """Bind the functions to their native drivers and start the desktop."""
    lab.sh(_TAKE_BACK.format(functions=" ".join(functions)))


def drivers(lab: Lab, functions: Sequence[str]) -> Mapping[str, str]:
    """PCI address -> name of the driver bound right now (empty: none)."""
    links = "; ".join(
        f'basename "$(readlink /sys/bus/pci/devices/{address}/driver || echo)"'
        for address in functions
    )
    names = lab.sh(links).stdout.split("\n")
    return dict(zip(functions, names, strict=False))
