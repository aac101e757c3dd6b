"""Findings about the graphics cards: driver, picture, ROM, size of the window, power. Pure."""

from vfiod.handoff.decision import rules
from vfiod.host.facts.pci import PciDevice
from vfiod.model import VFIO_DRIVER
from vfiod.rom import ways
from vfiod.tools.doctor.facts import Facts
from vfiod.tools.groups.picture import where_the_picture_is
from vfiod.tools.leftovers.machine import shows
from vfiod.util.finding import Finding, Findings, fail, ok, warn

# A BAR of the size that cards have without resizing (PCI SIG: Resizable BAR capability).
_USUAL_WINDOW = 256 * 2**20


def cards(facts: Facts) -> Findings:
    """Each graphics card with its driver and screens."""
    if not facts.displays:
        yield warn(
            "graphics-card",
            "there is no graphics card",
            why="vfiod hands graphics cards over; nothing here is one.",
            remedy="See what there is.",
            command="vfiod groups",
        )
    for device in facts.displays:
        yield _card(facts, device)


def _card(facts: Facts, device: PciDevice) -> Finding:
    check, name = "graphics-card", facts.named(device)
    boot = ", the boot display" if device.boot_vga else ""
    if device.driver == VFIO_DRIVER:
        return _parked(facts, device)
    if device.driver is None:
        return _driverless(facts, device)
    if device.boot_vga and not device.connected and device in facts.chosen_displays:
        return warn(
            check,
            f"{name}: driver {device.driver}{boot}, no screen connected",
            why="After a guest vfiod waits for the connected screen before it shows the login.",
            remedy="Connect a screen to this card, or switch it on.",
        )
    screens = f", screen on {' and '.join(device.connected)}" if device.connected else ""
    return ok(check, f"{name}: driver {device.driver}{boot}{screens}")


def _parked(facts: Facts, device: PciDevice) -> Finding:
    check, name = "graphics-card", facts.named(device)
    # What the firmware starts on may be set aside where the host shows its picture elsewhere.
    if facts.busy or not device.boot_vga or any(map(shows, facts.displays)):
        return ok(check, f"{name}: set aside for guests (vfio-pci)")
    return fail(
        check,
        f"{name}: the boot display is on vfio-pci and no guest has it",
        why="It was given to vfio-pci when the PC started, so the host has no picture at all and "
        "cannot get one back.",
        remedy="Take the static set-up out (see “Leftovers” below) and reboot.",
        command="sudo vfiod setup",
    )


def _driverless(facts: Facts, device: PciDevice) -> Finding:
    check, name = "graphics-card", facts.named(device)
    if not rules.is_lit_by_firmware(device):
        return warn(
            check,
            f"{name}: no driver of the host has it",
            why="A guest can have it, but the host cannot use it.",
            remedy="Load its driver if the host is to use it (is it blacklisted?).",
            command=f"lspci -k -s {device.address}",
        )
    return fail(
        check,
        f"{name}: the boot display {rules.LIT_BY_FIRMWARE}",
        why="The firmware's framebuffer is lost for good once a guest has had the card.",
        remedy=f"{rules.LOAD_DRIVER[:1].upper()}{rules.LOAD_DRIVER[1:]}.",
        command=f"lspci -k -s {device.address}",
    )


def framebuffer(facts: Facts) -> Findings:
    """The firmware's framebuffer gives way to a native driver, except to NVIDIA's own."""
    driven = [d for d in facts.displays if d.driver not in (None, VFIO_DRIVER)]
    for buffer in facts.framebuffers:
        if any(rules.paints_on(buffer, device) for device in driven):
            yield ok(
                "firmware-framebuffer",
                f"the firmware's framebuffer {buffer.device} is still there; vfiod releases it",
            )


def rom(facts: Facts) -> Findings:
    """The boot display's ROM is hidden behind the firmware's copy of it (kernel: fixup.c)."""
    check = "rom"
    configured = facts.roms
    for device in facts.chosen_displays:
        if device.address in configured:
            yield ok(check, f"{device.address}: ROM file {configured[device.address]}")
        elif why := rules.why_no_rom(device, facts.devices.values()):
            yield _no_rom(device, why)


def _no_rom(device: PciDevice, why: str) -> Finding:
    in_firmware = ways.has_none(device)
    return warn(
        "rom",
        f"{device.address}: no ROM file is configured",
        why=f"{why}. Many cards then stay dark until the guest's driver is loaded, some for good.",
        remedy="It cannot be read from the card. Give the guest its driver, and see what QEMU's "
        "manual says of such graphics."
        if in_firmware
        else "Get the ROM from the card, then name it in /etc/vfiod/vfiod.yaml.",
        command="" if in_firmware else f"sudo vfiod rom dump {device.address} /etc/vfiod/card.rom",
        source="https://gitlab.com/qemu-project/qemu/-/blob/master/docs/igd-assign.txt"
        if in_firmware
        else "",
    )


def picture(facts: Facts) -> Findings:
    """Where a guest with the card would be seen."""
    for device in facts.chosen_displays:
        if where := where_the_picture_is(device, facts.devices):
            yield warn(
                "picture",
                f"{device.address}: {where}",
                why="The guest starts all the same, and nobody sees it.",
                remedy="Connect a screen to the card before you start the guest, or set Looking "
                "Glass up in it.",
            )


def window(facts: Facts) -> Findings:
    """Resizable BAR (QaidVoid/Complete-Single-GPU-Passthrough, issue 10 and pull request 22)."""
    for device in facts.leaving_displays:
        largest = max((bar.size for bar in device.bars if bar.resizable), default=0)
        if largest > _USUAL_WINDOW:
            yield warn(
                "resizable-bar",
                f"{device.address}: Resizable BAR is on ({largest // 2**20} MiB)",
                why="Some cards show nothing in a guest once the host's driver has enlarged "
                "their window to the memory.",
                remedy="If the guest stays dark, switch Resizable BAR (Smart Access Memory) off "
                "in the firmware set-up.",
                source="https://github.com/QaidVoid/Complete-Single-GPU-Passthrough/issues/10",
            )


def power(facts: Facts) -> Findings:
    """power_state and d3cold_allowed (kernel: ABI/testing/sysfs-bus-pci)."""
    for device in facts.leaving_displays:
        if device.power_state in ("error", "unknown"):
            yield warn(
                "power",
                f"{device.address}: its power state is {device.power_state}",
                why="A card that does not wake up cannot be handed over.",
                remedy="Reboot. If it comes back, update the firmware.",
            )
        elif device.d3cold_allowed:
            yield ok("power", f"{device.address}: may fall asleep (d3cold); vfiod keeps it awake")


CHECKS = (cards, framebuffer, picture, rom, window, power)
