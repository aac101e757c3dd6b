"""What the host looks like when it has everything back: asserted before and after each test."""

from __future__ import annotations

from collections.abc import Mapping

from . import byhand
from .emulator.machine import Lab

LIBVIRT_LOG = "/var/log/libvirt/lab.log"


def overrides(lab: Lab) -> dict[str, str]:
    """PCI address -> driver_override as the kernel prints it."""
    functions = lab.hardware.functions
    paths = [f"/sys/bus/pci/devices/{address}/driver_override" for address in functions]
    return dict(zip(functions, lab.output("cat", *paths).splitlines(), strict=True))


def resets(lab: Lab) -> list[str]:
    """What libvirt reset under a driver of the host since this was last asked.

    It leaves a function alone that is with vfio-pci, and says nothing of "Resetting" then
    (libvirt: src/util/virpci.c, virPCIDeviceReset).
    """
    script = f"grep -h 'Resetting device' {LIBVIRT_LOG} || true; : > {LIBVIRT_LOG}"
    return lab.sh(script).stdout.splitlines()


def deaf(lab: Lab) -> list[str]:
    """Functions that do not answer at the addresses the kernel has for them."""
    return lab.sh(_DEAF.format(functions=" ".join(lab.hardware.functions))).stdout.splitlines()


# By the kernel's own records, not by vfiod's way of asking (kernel: ABI sysfs-bus-pci, resource):
# the command register's bit for memory, and the lower half of BAR 0 without its kind.
_DEAF = """
for address in {functions}; do
    device=/sys/bus/pci/devices/$address
    read -r start rest < $device/resource
    command=$(od -An -tu2 -j4 -N2 $device/config)
    bar=$(od -An -tu4 -j16 -N4 $device/config)
    if [ $((command & 2)) = 0 ] || [ $((bar >> 4 << 4)) != $((start & 0xfffffff0)) ]; then
        echo "$address: command $command, BAR 0 $bar, wanted $start"
    fi
done
"""


def running_guests(lab: Lab) -> list[str]:
    """Names of the domains that run."""
    return lab.output("virsh", "list", "--name").split()


def unit_state(lab: Lab, unit: str) -> str:
    """As `systemctl is-active` says."""
    return lab.run("systemctl", "is-active", unit, check=False).stdout.strip()


def faults(lab: Lab, native: Mapping[str, str] | None = None) -> list[str]:
    """Everything that is not as after a boot; empty when the host is whole.

    ``native``: PCI address -> driver, if it is not that of the hardware.
    """
    state = unit_state(lab, "lightdm")
    return device_faults(lab, native) + ([] if state == "active" else [f"lightdm: {state}"])


def device_faults(lab: Lab, native: Mapping[str, str] | None = None) -> list[str]:
    """As faults(), whatever people log in with."""
    found = []
    wanted = native or lab.hardware.native_drivers
    bound = byhand.drivers(lab, lab.hardware.functions)
    if bound != wanted:
        found.append(f"drivers: {bound}, wanted {wanted}")
    if any(value != "(null)" for value in overrides(lab).values()):
        found.append(f"driver_override: {overrides(lab)}")
    if guests := running_guests(lab):
        found.append(f"guests running: {guests}")
    found += [f"deaf: {line}" for line in deaf(lab)]
    found += [f"libvirt: {line}" for line in resets(lab)]
    return found
