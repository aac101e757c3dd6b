"""Firmware framebuffers that still paint (kernel: drivers/firmware/sysfb.c)."""

from pathlib import Path

from vfiod.host.facts.pci import parse_address
from vfiod.model import FirmwareFramebuffer
from vfiod.util import sysfs

_KIND = "-framebuffer"  # efi-, simple-, vesa-, coreboot-, …


def read_framebuffers(root: Path = Path("/")) -> tuple[FirmwareFramebuffer, ...]:
    """Those that have a driver; a native graphics driver removes them for good."""
    drivers = root / "sys/bus/platform/drivers"
    return tuple(
        FirmwareFramebuffer(name, driver, parse_address(_parent(drivers / driver / name)))
        for driver in sysfs.names(drivers)
        if driver.endswith(_KIND)
        for name in sysfs.names(drivers / driver)
        if name.startswith(f"{driver}.")
    )


def _parent(device: Path) -> str:
    """The folder that the device is in: a PCI function's, or the platform's."""
    return device.resolve().parent.name
