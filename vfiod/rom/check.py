"""What a person should know about a ROM before a guest gets it. Pure.

``vfiod.rom.image`` says what is no ROM at all; here are the finer points, each with its remedy.
"""

from vfiod.errors import RomError
from vfiod.model import PciFunction
from vfiod.rom import image as rom
from vfiod.rom.image import CodeType, Machine, Rom, RomImage
from vfiod.util.finding import Finding, Findings, Level, ok

# What the kernel shows for the boot display: this much memory at 0xC0000 (drivers/pci/rom.c).
SHADOW_BYTES = 128 * 1024
# A guest of the x86-64 machine q35 can run these.
_RUNS_ON_PC = (Machine.X64, Machine.EBC)
_CODE_NAMES: dict[int, str] = {
    CodeType.BIOS: "BIOS",
    CodeType.OPEN_FIRMWARE: "Open Firmware",
    CodeType.HPPA: "HP PA-RISC",
    CodeType.UEFI: "UEFI",
}
_MACHINE_NAMES: dict[int, str] = {
    Machine.IA32: "32-bit x86",
    Machine.ARM: "32-bit ARM",
    Machine.ITANIUM: "Itanium",
    Machine.EBC: "EFI byte code",
    Machine.RISCV64: "RISC-V",
    Machine.X64: "x86-64",
    Machine.AARCH64: "ARM64",
}


def examine(
    data: bytes, card: PciFunction | None = None, *, shadowed: bool = False
) -> list[Finding]:
    """All findings about a ROM, for a card if one is given. Never raises.

    ``shadowed`` says that it is the copy in main memory; else it may look like one.
    """
    try:
        found = rom.parse(data)
    except RomError as error:
        return [Finding("option-rom", Level.FAIL, error.message, remedy=error.hint)]
    return [
        ok("option-rom", f"an option ROM: {', '.join(map(describe, found.images))}"),
        *_card(data, found, card),
        *_bios(found),
        *_uefi(found),
        *_whole(data, found),
        *_shadow(shadowed=shadowed or _looks_shadowed(data, found)),
    ]


def describe(image: RomImage) -> str:
    """An image's kind in words: ``UEFI for x86-64, compressed``."""
    if image.uefi is None:
        return _CODE_NAMES.get(image.code_type, f"vendor's code type {image.code_type:#04x}")
    packed = ", compressed" if image.uefi.compressed else ""
    return f"UEFI for {machine_name(image.uefi.machine)}{packed}"


def machine_name(machine: int) -> str:
    """A UEFI machine type in words."""
    return _MACHINE_NAMES.get(machine, f"machine type {machine:#06x}")


def _card(data: bytes, found: Rom, card: PciFunction | None) -> Findings:
    if card is None:
        yield ok("card", f"made for {rom.made_for(found)}")
        return
    try:
        rom.check(data, vendor=card.vendor, device=card.device)
    except RomError as error:
        yield Finding("card", Level.FAIL, error.message, remedy=error.hint)
    else:
        yield ok("card", f"made for the card {card}")


def _bios(found: Rom) -> Findings:
    images = [image for image in found.images if image.code_type == CodeType.BIOS]
    for image in images:
        if not image.sum_is_zero:
            yield Finding(
                "bios",
                Level.WARN,
                f"the bytes of the BIOS image at {image.offset:#x} do not add up to 0: it was "
                "changed or damaged, and BIOS firmware (SeaBIOS) will not run it",
                remedy="take another copy, unless you edited this one on purpose",
            )
    if images and all(image.sum_is_zero for image in images):
        yield ok("bios", "a guest with BIOS firmware (SeaBIOS) can start the card with it")


def _uefi(found: Rom) -> Findings:
    images = [image for image in found.images if image.code_type == CodeType.UEFI]
    for image in images:
        if image.uefi is None:
            yield Finding(
                "uefi",
                Level.FAIL,
                f"the UEFI image at {image.offset:#x} has no UEFI header: it is damaged",
            )
    machines = [image.uefi.machine for image in images if image.uefi]
    if any(machine in _RUNS_ON_PC for machine in machines):
        yield ok("uefi", "a guest with UEFI firmware (OVMF) can start the card with it")
        return
    others = ", ".join(map(machine_name, machines))
    yield Finding(
        "uefi",
        Level.WARN,
        f"no UEFI image for x86-64{f' (only for {others})' if others else ''}: a guest with UEFI "
        "firmware (OVMF) cannot start the card with it, and a screen on it stays dark until the "
        "guest's own driver has started",
        remedy="many guests work all the same; if yours stays dark, look for the card's whole ROM",
    )


def _whole(data: bytes, found: Rom) -> Findings:
    rest = data[found.end :]
    if not found.complete and not rom.vendor_data_follows(data, found):
        yield Finding(
            "whole",
            Level.WARN,
            f"the image that ends at {found.end:#x} is not marked as the last, and none follows: "
            "the card has more images (a UEFI image, often) than this file",
            remedy="it works as far as it goes; a dump of the whole ROM would have them",
        )
    if rest and not rest.strip(b"\xff\0"):
        yield ok("whole", f"{len(rest)} bytes of padding follow the images")
    elif rest:
        yield ok("whole", f"{len(rest)} bytes follow the images: the vendor's data, harmless")


def _looks_shadowed(data: bytes, found: Rom) -> bool:
    return len(data) == SHADOW_BYTES and found.end < len(data) and not found.has_uefi


def _shadow(*, shadowed: bool) -> Findings:
    if shadowed:
        yield Finding(
            "shadow",
            Level.WARN,
            "this is, or looks like, the copy in main memory that the PC's firmware made at boot "
            "and may have changed, not the card's own ROM",
            remedy="if a guest fails with it, dump again with --rescan",
        )
