"""Option ROMs in words and as JSON, for people and programs. Pure."""

from collections.abc import Sequence
from typing import Any

from vfiod.rom import image as rom
from vfiod.rom.access import Card
from vfiod.rom.check import describe, machine_name
from vfiod.rom.sources import SHADOW_ADDRESS
from vfiod.util.finding import Finding, Level, worst

MARKS = {Level.OK: "ok  ", Level.WARN: "warn", Level.FAIL: "FAIL"}


def images(data: bytes) -> list[str]:
    """One line an image. Raises RomError if it is no ROM."""
    found = rom.parse(data)
    lines = [
        f"  {i.offset:#08x}  {_size(i.length):>9}  {i.vendor:04x}:{i.device:04x}  {_image(i)}"
        for i in found.images
    ]
    if rest := len(data) - found.end:
        lines.append(f"  {found.end:#08x}  {_size(rest):>9}  behind the last image")
    return lines


def images_json(data: bytes) -> list[dict[str, Any]]:
    """The images as JSON values. Raises RomError if it is no ROM."""
    return [
        {
            "offset": i.offset,
            "length": i.length,
            "vendor": f"{i.vendor:04x}",
            "device": f"{i.device:04x}",
            "devices": [f"{device:04x}" for device in i.more_devices],
            "class": f"{i.class_code:06x}",
            "code_type": i.code_type,
            "kind": describe(i),
            "machine": machine_name(i.uefi.machine) if i.uefi else None,
            "compressed": i.uefi.compressed if i.uefi else None,
            "sum_is_zero": i.sum_is_zero,
            "last": i.last,
        }
        for i in rom.parse(data).images
    ]


def findings(found: Sequence[Finding]) -> list[str]:
    """One line a finding, its remedy below it."""
    lines = []
    for finding in found:
        lines.append(f"{MARKS[finding.level]}  {finding.fact}")
        if finding.remedy:
            lines.append(f"      {finding.remedy}")
    return lines


def findings_json(found: Sequence[Finding]) -> dict[str, Any]:
    """Findings as a JSON value, with the worst level of all."""
    rows = [{"level": f.level.word, "fact": f.fact, "remedy": f.remedy} for f in found]
    return {"level": worst(found).word, "findings": rows}


def card(found: Card) -> list[str]:
    """What the card is, and what sysfs has of its ROM."""
    driver = f"driver {found.function.driver}" if found.function.driver else "no driver"
    boot = ", boot display" * found.function.boot_vga
    screens = f", screens {', '.join(found.output.connected)}" if found.output.connected else ""
    return [f"{found.function}  {driver}{boot}{screens}", f"  sysfs   {_sysfs(found)}"]


def source(name: str, found: int | str) -> str:
    """One more place to have the ROM from: how many bytes it has, or why it has none."""
    return f"  {name:7} {_size(found) if isinstance(found, int) else found}"


def card_json(found: Card) -> dict[str, Any]:
    """The same as JSON values."""
    region = found.region
    return {
        "address": str(found.function.address),
        "vendor": f"{found.function.vendor:04x}",
        "device": f"{found.function.device:04x}",
        "driver": found.function.driver,
        "boot_display": found.function.boot_vga,
        "connected": list(found.output.connected),
        "sysfs": {"size": region.size, "shadow": region.shadow} if region else None,
    }


def _sysfs(found: Card) -> str:
    if found.region is None:
        return "the kernel shows no ROM of it"
    if found.region.shadow:
        return (
            f"not the card's ROM but the memory at {SHADOW_ADDRESS:#x}, as for every boot display: "
            "a copy if the PC started in BIOS mode, else nothing of use"
        )
    return f"a ROM of up to {_size(found.region.size)}"


def _image(image: rom.RomImage) -> str:
    sums = {None: "", True: ", checksum good", False: ", CHECKSUM WRONG"}[image.sum_is_zero]
    others = len({*image.more_devices} - {image.device})
    listed = f", for {others} more device ids" if others else ""
    return f"{describe(image)}{sums}{listed}{', last' * image.last}"


def _size(count: int) -> str:
    return f"{count / 1024:.1f} KiB"
