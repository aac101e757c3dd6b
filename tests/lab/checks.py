"""What the host looks like when it has everything back: asserted before and after each test."""

from __future__ import annotations

from . import byhand
from .hardware import FUNCTIONS
from .machine import Lab


def overrides(lab: Lab) -> dict[str, str]:
    """PCI address -> driver_override as the kernel prints it."""
    paths = [f"/sys/bus/pci/devices/{address}/driver_override" for address in FUNCTIONS]
    return dict(zip(FUNCTIONS, lab.output("cat", *paths).splitlines(), strict=True))


def running_guests(lab: Lab) -> list[str]:
    """Names of the domains that run."""
    return lab.output("virsh", "list", "--name").split()


def unit_state(lab: Lab, unit: str) -> str:
    """As `systemctl is-active` says."""
    return lab.run("systemctl", "is-active", unit, check=False).stdout.strip()


def faults(lab: Lab) -> list[str]:
    """Everything that is not as after a boot; empty when the host is whole."""
    found = []
    bound = byhand.drivers(lab, FUNCTIONS)
    if bound != lab.hardware.native_drivers:
        found.append(f"drivers: {bound}, wanted {lab.hardware.native_drivers}")
    if any(value != "(null)" for value in overrides(lab).values()):
        found.append(f"driver_override: {overrides(lab)}")
    if (state := unit_state(lab, "lightdm")) != "active":
        found.append(f"lightdm: {state}")
    if guests := running_guests(lab):
        found.append(f"guests running: {guests}")
    return found
