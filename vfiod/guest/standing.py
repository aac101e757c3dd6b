"""What a guest that cannot be asked to shut down needs first, by libvirt's state of it. Pure."""

from enum import Enum

import libvirt

# Paused by what libvirt itself is at; otherwise it is by a person, a full disk, a watchdog, or QEMU
# (libvirt: qemuMonitorVMStatusToPausedReason in src/qemu/qemu_monitor.c).
_AT_WORK = frozenset(
    {
        libvirt.VIR_DOMAIN_PAUSED_MIGRATION, libvirt.VIR_DOMAIN_PAUSED_SAVE,
        libvirt.VIR_DOMAIN_PAUSED_DUMP, libvirt.VIR_DOMAIN_PAUSED_SNAPSHOT,
        libvirt.VIR_DOMAIN_PAUSED_SHUTTING_DOWN, libvirt.VIR_DOMAIN_PAUSED_STARTING_UP,
        libvirt.VIR_DOMAIN_PAUSED_POSTCOPY, libvirt.VIR_DOMAIN_PAUSED_POSTCOPY_FAILED,
    }
)  # fmt: skip


class Standing(Enum):
    """``BUSY``: it runs, or somebody else is at work with it; ``LOST``: it never goes on."""

    OFF = "off"
    ASLEEP = "asleep"
    PAUSED = "paused"
    LOST = "lost"
    BUSY = "busy"


def standing(state: int, reason: int) -> Standing:
    """``state`` and ``reason`` as virDomainGetState() has them."""
    if state == libvirt.VIR_DOMAIN_PAUSED:
        if reason == libvirt.VIR_DOMAIN_PAUSED_CRASHED:
            return Standing.LOST
        return Standing.BUSY if reason in _AT_WORK else Standing.PAUSED
    found = {
        libvirt.VIR_DOMAIN_SHUTOFF: Standing.OFF,
        libvirt.VIR_DOMAIN_PMSUSPENDED: Standing.ASLEEP,
        libvirt.VIR_DOMAIN_CRASHED: Standing.LOST,
    }
    return found.get(state, Standing.BUSY)


def is_lost(reason: int, code: int) -> bool:
    """True if a paused guest never goes on, as libvirt says when it is told to.

    QEMU that has met an error in itself refuses it (QEMU: qmp_cont, "Resetting the Virtual
    Machine is required"). Other refusals, such as one of another job, may pass.
    """
    own = (libvirt.VIR_DOMAIN_PAUSED_UNKNOWN, libvirt.VIR_ERR_INTERNAL_ERROR)
    return (reason, code) == own
