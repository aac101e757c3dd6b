"""Rules that several commands state: one condition and one wording each. Pure.

A start refuses by them, `vfiod groups` and `vfiod init` name them, `vfiod doctor` explains them.
"""

from typing import Protocol


class Function(Protocol):
    """What a rule must know of a PCI function, whoever has read it."""

    @property
    def is_display(self) -> bool: ...
    @property
    def boot_vga(self) -> bool: ...
    @property
    def driver(self) -> str | None: ...


# vfio-pci removes the firmware's framebuffer for good (kernel: vfio_pci_core.c, 6.0 and later).
LIT_BY_FIRMWARE = (
    "has no native driver: the host runs on the firmware's framebuffer and would stay dark after "
    "the guest"
)
LOAD_DRIVER = "load the card's own driver; it may be blacklisted, or switched off by nomodeset"
# The kernel hands over no group with a direct region in reserved_regions.
KEPT_BY_FIRMWARE = (
    "the firmware wants its memory mapped one to one, and the kernel gives such an IOMMU group to "
    "no guest"
)
NO_DMA_PROTECTION = (
    "switch Kernel DMA Protection (or Pre-boot DMA Protection) off in the firmware set-up, where "
    "it may show only after IOMMU is set from Auto to Enabled, or look for a newer firmware"
)


def is_lit_by_firmware(function: Function) -> bool:
    """True for the boot display without a driver: nothing would light it after a guest."""
    return function.is_display and function.boot_vga and function.driver is None
