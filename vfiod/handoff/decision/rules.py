"""Rules that several commands state: one condition and one wording each. Pure.

A start refuses by them, `vfiod groups` and `vfiod init` name them, `vfiod doctor` explains them.
"""

from collections.abc import Iterable
from typing import Protocol

from vfiod.model import AUDIO_CLASS, FirmwareFramebuffer, PciFunction
from vfiod.rom import ways

_VGA = 0x0300
_INTEL = 0x8086
_MULTIMEDIA = 0x04  # base class
_ENCRYPTION = 0x10  # base class of AMD's security processor (pci.ids)

# Vendors of the graphics of boards with remote management (pci.ids: ASPEED, Matrox, Huawei). Their
# connector is always connected, as an administrator may look at it from afar, with or without a
# monitor (kernel: drivers/gpu/drm/ast, hisilicon/hibmc).
MANAGEMENT = frozenset({0x1A03, 0x102B, 0x19E5})


class Function(Protocol):
    """What a rule must know of a PCI function, whoever has read it."""

    @property
    def is_display(self) -> bool: ...
    @property
    def boot_vga(self) -> bool: ...
    @property
    def driver(self) -> str | None: ...
    @property
    def firmware_framebuffer(self) -> bool: ...


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
    """True for the boot display without a driver: nothing would light it after a guest.

    One of another class than VGA, as some APUs are, is known by the framebuffer alone.
    """
    is_lit = function.boot_vga or function.firmware_framebuffer
    return function.is_display and is_lit and function.driver is None


def paints_on(framebuffer: FirmwareFramebuffer, function: PciFunction) -> bool:
    """Whether the firmware's framebuffer is this display's, as far as the kernel tells."""
    known = framebuffer.parent is not None
    return framebuffer.parent == function.address if known else function.boot_vga


def why_no_rom(display: PciFunction, functions: Iterable[PciFunction]) -> str:
    """Why a guest would read no ROM from this display, or not its own; empty if it would.

    Of the boot display the kernel shows the copy that the firmware made (arch/x86/pci/fixup.c,
    pci_fixup_video). The ROM of a processor's graphics is in the firmware: AMD's shows in the ACPI
    table VFCT, Intel's nowhere.
    """
    if ways.has_none(display) or is_processors_own(display, functions):
        return f"The ROM of the processor's graphics {display.address} is in the firmware only"
    if display.boot_vga and display.class_code >> 8 == _VGA:
        return f"The PC starts on {display.address}: its ROM is then hidden from the guest"
    return ""


def are_one_card(one: PciFunction, other: PciFunction, functions: Iterable[PciFunction]) -> bool:
    """True if one of the two is a display and the other is reset with it.

    Those are all functions of its slot, save that a virtual function has a reset of its own
    (SR-IOV: FLR), and that a processor's graphics shares its slot with devices of the processor,
    each of which stands alone unless the IOMMU says otherwise: only the sound belongs to it.
    """
    if not (one.is_display or other.is_display) or not one.address.same_slot(other.address):
        return False
    if one.is_virtual or other.is_virtual:
        return one.address == other.address
    pair = one.vendor == other.vendor and (_is_picture(one) and _is_picture(other))
    return pair or not any(is_processors_own(f, functions) for f in (one, other))


def waits_for(function: PciFunction, displays: Iterable[PciFunction]) -> PciFunction | None:
    """The display that a function's driver waits for, if that may be in another slot.

    Intel's sound does, behind the switch of an Arc card too: its probe is put off until the
    display has its driver, and nobody is told (kernel: sound/hda/hdac_i915.c). Which display a
    sound function belongs to is not known here: with several of Intel's it is the last, a card.
    """
    intel = sorted((f for f in displays if f.vendor == _INTEL), key=lambda f: f.address)
    is_sound = function.vendor == _INTEL and function.class_code >> 16 == _MULTIMEDIA
    return intel[-1] if intel and is_sound else None


def _is_picture(function: PciFunction) -> bool:
    return function.is_display or function.class_code >> 8 == AUDIO_CLASS


def is_processors_own(display: PciFunction, functions: Iterable[PciFunction]) -> bool:
    """True for the graphics of an AMD processor (an APU): beside it is its security processor."""
    beside = (f for f in functions if f.address.same_slot(display.address))
    return display.is_display and any(f.class_code >> 16 == _ENCRYPTION for f in beside)
