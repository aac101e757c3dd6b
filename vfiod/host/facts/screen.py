"""Firmware framebuffers that still paint (kernel: drivers/firmware/sysfb.c)."""

from pathlib import Path

from vfiod.model import FirmwareFramebuffer
from vfiod.util import sysfs

FRAMEBUFFER_DRIVERS = ("efi-framebuffer", "simple-framebuffer", "vesa-framebuffer")


def read_framebuffers(root: Path = Path("/")) -> tuple[FirmwareFramebuffer, ...]:
    """Those that have a driver; a native graphics driver removes them for good."""
    drivers = root / "sys/bus/platform/drivers"
    return tuple(
        FirmwareFramebuffer(name, driver)
        for driver in FRAMEBUFFER_DRIVERS
        for name in sysfs.names(drivers / driver)
        if name.startswith(f"{driver}.")
    )
