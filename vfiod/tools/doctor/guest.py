"""Findings about one guest: is it there, and what makes a card go badly in it? Pure.

What a start would be refused for is in vfiod.tools.doctor.refusals.
"""

import shlex
from collections.abc import Iterator

from vfiod.guest.features import AGENT_CHANNEL
from vfiod.handoff.decision.keys import UNTIL, unheard
from vfiod.host.facts.pci import PciDevice
from vfiod.paths import IMAGES
from vfiod.tools.doctor.facts import Facts, Guest
from vfiod.tools.doctor.refusals import refusals
from vfiod.tools.doctor.resets import BLACKWELL, NVIDIA
from vfiod.util.finding import Finding, Findings, fail, warn
from vfiod.util.typed import virsh, virt_xml, without_screen

CODE_43 = "https://nvidia.custhelp.com/app/answers/detail/a_id/5173"


def presence(facts: Facts, guest: Guest) -> Findings:
    """The guest must be known to libvirt and to the configuration."""
    if guest.fault:
        yield fail(
            "guest",
            guest.fault,
            why="Whether a start would work can only be said of a guest that can be read.",
            remedy=guest.remedy,
            command="virsh --connect qemu:///system list --all",
        )
    named = guest.name in facts.settings.config.guests
    if not named and facts.settings.config.guests:
        yield fail(
            "guest",
            f"/etc/vfiod/vfiod.yaml does not name the guest {guest.name}",
            why="A guest that is not named there gets no devices from vfiod.",
            remedy="Let vfiod propose what belongs there.",
            command=f"sudo vfiod init {shlex.quote(guest.name)}",
        )


def managed(facts: Facts, guest: Guest) -> Findings:
    """managed='yes' works too; libvirt then finds the devices ready (libvirt: virpci.c)."""
    hostdevs = guest.request.domain.hostdevs if guest.request else ()
    for hostdev in hostdevs:
        if hostdev.managed:
            yield warn(
                "managed",
                f"{hostdev.address} is managed='yes' in the guest",
                why="vfiod moves the devices before libvirt looks at them. Should vfiod not be "
                "there one day, libvirt would take the card from under your desktop, and hang.",
                remedy="Set managed='no'.",
                command=f"sudo vfiod init {shlex.quote(guest.name)}",
            )


def rom_bar(facts: Facts, guest: Guest) -> Findings:
    """<rom bar='off'> hides the ROM, a configured file included."""
    for hostdev in guest.request.domain.hostdevs if guest.request else ():
        device = facts.devices.get(hostdev.address)
        if device is None or _is_blackwell(device):
            continue  # one owner of such a card reports bar='off' as what it needs
        if device.is_display and not hostdev.rom_bar:
            yield warn(
                "rom-bar",
                f"the guest does not see the ROM of {facts.named(device)} (bar='off')",
                why="Its firmware then cannot start the card: the screen stays dark until the "
                "guest's driver is loaded.",
                remedy="Take bar='off' or enabled='no' out of <rom>.",
                command=f"sudo {virsh('edit', guest.name)}",
            )


def _is_blackwell(device: PciDevice) -> bool:
    return device.vendor == NVIDIA and device.device in BLACKWELL


def balloon(facts: Facts, guest: Guest) -> Findings:
    """A device may write to any page of the guest, so all are locked and none can be given back."""
    if guest.xml is not None and guest.xml.balloon and guest.request and guest.request.listed:
        yield warn(
            "memballoon",
            "the guest has a memory balloon",
            why="Memory of a guest with a device is locked, so the balloon can give none back; "
            "it only costs speed.",
            remedy="Set <memballoon model='none'/>.",
            command=virt_xml(guest.name, "--edit --memballoon model=none"),
        )


def firmware(facts: Facts, guest: Guest) -> Findings:
    """Cards of today bring an image for UEFI; the VGA BIOS one rarely works in a guest."""
    shows = guest.request is not None and any(f.is_display for f in guest.request.listed)
    if guest.xml is not None and shows and not guest.xml.uefi:
        yield warn(
            "guest-firmware",
            "the guest starts by BIOS, not by UEFI",
            why="Most cards show a guest's picture from the start only with UEFI firmware.",
            remedy="A new guest should have UEFI. An installed one keeps what it has.",
            command="vfiod create --help",
        )


def hiding(facts: Facts, guest: Guest) -> Findings:
    """NVIDIA's driver before 465 stopped with code 43 in a guest that it recognised as one."""
    if guest.xml is None or not guest.xml.windows or not _takes_nvidia(guest):
        return
    if not (guest.xml.hidden and guest.xml.vendor_id):
        yield warn(
            "nvidia-hiding",
            "the guest does not hide from NVIDIA's driver that it is a guest",
            why="NVIDIA's Windows driver before version 465 stops with “code 43” in a guest. "
            "Newer ones do not.",
            remedy="Use a newer driver, or set <kvm><hidden state='on'/></kvm> and in <hyperv> "
            "a <vendor_id state='on' value='whatever'/> among the guest's <features>.",
            command=f"sudo {virsh('edit', guest.name)}",
            source=CODE_43,
        )


def _takes_nvidia(guest: Guest) -> bool:
    listed = guest.request.listed if guest.request else []
    return any(f.is_display and f.vendor == NVIDIA for f in listed)


def screens(facts: Facts, guest: Guest) -> Findings:
    """With an emulated screen beside the card the guest may show its picture there."""
    shows = guest.request is not None and any(f.is_display for f in guest.request.listed)
    if guest.xml is not None and shows and guest.xml.screens:
        yield warn(
            "emulated-screen",
            f"the guest has an emulated screen as well ({', '.join(guest.xml.screens)})",
            why="Its picture may appear there instead of on your monitor, above all before the "
            "card's driver is installed.",
            remedy="Take it out when the card's driver works in the guest.",
            command=without_screen(guest.name),
        )


def agent(facts: Facts, guest: Guest) -> Findings:
    """virt-install and virt-manager give Linux guests a channel, Windows ones none."""
    if guest.xml is not None and guest.xml.windows and not guest.xml.agent:
        yield warn(
            "guest-agent",
            "the guest has no channel for the guest agent",
            why="By its agent a guest that is started on trial (vfiod try) shows that it is up. "
            "Without it somebody has to confirm it (sudo vfiod keep), or it needs --port.",
            remedy="Give it one, and install the agent in the guest (for Windows: "
            "virtio-win-guest-tools.exe of the CD with virtio drivers).",
            command=virt_xml(
                guest.name,
                f"--add-device --channel type=unix,target.type=virtio,target.name={AGENT_CHANNEL}",
            ),
        )


def files(facts: Facts, guest: Guest) -> Findings:
    """QEMU runs as a user of its own, who must be let through every directory."""
    for access in guest.path_accesses:
        if access.closed:
            yield warn(
                "qemu-reads",
                f"QEMU may not pass {access.closed} on the way to {access.path}",
                why="QEMU does not run as you or as root. A directory it may not pass hides the "
                "file, and the start fails after your desktop has ended.",
                remedy=f"Move the file to {IMAGES}, or let QEMU's user pass, and nobody else.",
                command=f"sudo setfacl -m u:{access.user}:x {shlex.quote(access.closed)}"
                if access.user
                else "",
            )


def rom_readable(facts: Facts, guest: Guest) -> Findings:
    """QEMU reads ROMs in a few places only (libvirt: src/security/apparmor, libvirt-qemu)."""
    for path in guest.hidden_roms:
        yield fail(
            "rom-readable",
            f"QEMU may not read the ROM file {path}",
            why="AppArmor lets QEMU read ROM files in few places. It then says “failed to find "
            "romfile”, after your desktop has ended.",
            remedy="Name the file as rom: of the device in /etc/vfiod/vfiod.yaml, and let the "
            "guest use the copy that vfiod puts into /usr/share/vgabios/vfiod.",
            command=f"sudo vfiod init {shlex.quote(guest.name)}",
        )


def keys(facts: Facts, guest: Guest) -> Findings:
    """QEMU takes a keyboard of the host's for itself alone."""
    if guest.request is not None and (own := unheard(guest.request)):
        yield warn(
            "escape-keys",
            f"escape_keys are not heard from {', '.join(own)}, which is the guest's own",
            why=f"The guest has every keyboard with these keys for itself {UNTIL}.",
            remedy="Leave the host another keyboard, or know that the power button does the same.",
        )


CHECKS = (
    presence,
    refusals,
    managed,
    rom_bar,
    balloon,
    firmware,
    hiding,
    screens,
    agent,
    files,
    rom_readable,
    keys,
)


def examine_guest(facts: Facts) -> Iterator[Finding]:
    """All of it, if a guest was asked about."""
    if facts.guest is not None:
        for check in CHECKS:
            yield from check(facts, facts.guest)
