"""Findings about a guest's start: all that it would be refused for. Pure.

These are the daemon's own checks (vfiod.handoff.decision.checks), so that the two cannot differ.
"""

from collections.abc import Mapping

from vfiod.errors import VfiodError
from vfiod.handoff.decision.checks import CHECKS as REFUSALS
from vfiod.tools.doctor.facts import Facts, Guest
from vfiod.util.finding import Finding, Findings, fail, ok
from vfiod.util.typed import TO_CHANGE

# Check of vfiod.handoff.decision.checks -> what is so when it finds no fault, and why it matters
# when it does.
WORDS: Mapping[str, tuple[str, str]] = {
    "host_is_staying": (
        "the host is not shutting down",
        "A host that is going down must not lose its display as well.",
    ),
    "devices_exist": (
        "all configured devices are in this PC",
        "Addresses move when a card is added or the firmware is updated.",
    ),
    "domain_agrees": (
        "guest and configuration list the same devices",
        "The devices that leave the host must be those that the guest takes.",
    ),
    "devices_are_given_once": (
        "the guest is given no device twice",
        "QEMU takes a device once, and would not start.",
    ),
    "backends_are_known": (
        "the guest opens its devices in a way that vfiod knows",
        "A guest that is not seen to have its devices cannot be told from one that has ended.",
    ),
    "iommu_is_on": (
        "all devices have an IOMMU group",
        "The kernel hands over devices in groups that the IOMMU can keep apart.",
    ),
    "slot_is_whole": (
        "the card goes over with all its functions",
        "Picture, sound and the rest of a card are reset together or not at all.",
    ),
    "group_is_viable": (
        "no device of the host shares a group with them",
        "Devices of one IOMMU group can reach each other's memory, so the kernel hands over all "
        "of them or none.",
    ),
    "firmware_lets_go": (
        "the firmware keeps none of them for itself",
        "Where it does, the kernel gives the whole group to no guest.",
    ),
    "it_is_not_divided": (
        "none of them is divided into virtual functions",
        "These end with the driver of the device that they are a part of, under whoever has one.",
    ),
    "nobody_else_has_them": (
        "no other guest has them",
        "A device serves one guest at a time.",
    ),
    "holders_let_go": (
        "nothing that cannot be stopped has one of them open",
        "The start would end your desktop and then fail.",
    ),
    "host_can_spare_them": (
        "the host's disks and network do not hang on them",
        "The host would lose what it runs from.",
    ),
    "display_can_return": (
        "the host has a driver that lights its display again",
        "Without it the host stays dark after the guest, until a reboot.",
    ),
    "modules_are_installed": (
        "the modules that a start loads and unloads are installed",
        "A start would end your desktop and then fail: what is not on the disk is neither loaded "
        "nor unloaded.",
    ),
    "modules_can_be_unloaded": (
        "the card's driver can be unloaded",
        "NVIDIA's driver waits for ever for whoever still uses its modules.",
    ),
    "roms_fit": (
        "configured ROM files are whole and fit their cards",
        "With a wrong ROM the guest's screen stays dark.",
    ),
    "roms_are_used": (
        "the guest reads configured ROM files where they are put",
        "QEMU may read ROM files in few places; vfiod puts a copy there.",
    ),
    "memory_is_enough": (
        "there is memory for the guest",
        "All memory of a guest with a device is taken at once and cannot be swapped out.",
    ),
    "performance_can_be_had": (
        "what performance: asks for can be had",
        "CPUs, huge pages and the rest are set while the guest runs, and given back after.",
    ),
    "all_can_be_opened": (
        "all that the guest opens is there: disks, firmware, input devices and the rest",
        "QEMU would find out only after your desktop has ended.",
    ),
    "no_guest_is_killed": (
        "no other guest renders on the card",
        "Its plug would be pulled when the card goes.",
    ),
    "work_of_root_is_finished": (
        "no update of the system runs in what would end",
        "Cut off half-way it may leave a host that does not boot.",
    ),
    "sessions_may_end": (
        "nobody's work forbids the start",
        "What uses the card ends when it goes.",
    ),
}

NO_WORDS = "A start would be refused for it."


def refusals(facts: Facts, guest: Guest) -> Findings:
    """Each check of the daemon: its faults, or one line that it found none."""
    if guest.request is None:
        return
    for check in REFUSALS:
        faults = list(check(guest.request))
        name = check.__name__.replace("_", "-")
        good, why = WORDS.get(check.__name__, (name.replace("-", " "), NO_WORDS))
        if faults and name == "iommu-is-on" and not facts.firmware.iommu.is_on:
            continue  # it has been said of the whole host
        yield from (_refusal(name, why, fault) for fault in faults)
        if not faults:
            yield ok(name, good)


def _refusal(name: str, why: str, fault: VfiodError) -> Finding:
    """What a hint says to type last of all is a command of its own here."""
    hint, _, command = fault.hint.partition(f"\n{TO_CHANGE}")
    remedy = f"{hint[:1].upper()}{hint[1:].rstrip('.')}." if hint else ""
    return fail(name, fault.message, why=why, remedy=remedy, command=command)
