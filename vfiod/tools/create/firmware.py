"""The firmware of a new guest: what this host has of it, and what libvirt says without. Pure."""

from collections.abc import Collection, Iterator

from vfiod.errors import HostError
from vfiod.host.facts.boot import Distribution
from vfiod.host.facts.guest_firmware import ENROLLED_KEYS, SECURE_BOOT
from vfiod.host.facts.packages import Need, remedy
from vfiod.tools.create.request import CreateRequest

Found = Collection[Collection[str]]
# libvirt: src/qemu/qemu_firmware.c, of 9.2 and later and of earlier ones.
_SAYS = ("Unable to find 'efi' firmware", "Unable to find any firmware")
_WITHOUT = "or make the guest without Secure Boot: --no-secure-boot"


def has_keys(found: Found) -> bool:
    """Whether firmware with Secure Boot comes with keys; where nothing is known it is asked for."""
    return not found or any({SECURE_BOOT, ENROLLED_KEYS} <= set(one) for one in found)


def faults(guest: CreateRequest, found: Found, distribution: Distribution) -> Iterator[HostError]:
    """What libvirt would refuse, before a disk is made for it."""
    if guest.secure_boot and found and not any(SECURE_BOOT in one for one in found):
        yield HostError(
            f"{guest.name} is to have Secure Boot, and no firmware for guests here has that",
            f"{remedy(distribution, Need.OVMF)}\n{_WITHOUT}",
        )


def explained(error: HostError, guest: CreateRequest, distribution: Distribution) -> HostError:
    """libvirt's error with what helps, if it is about the firmware; else as it is."""
    if not any(says in error.message for says in _SAYS):
        return error
    without = f"\n{_WITHOUT}" if guest.secure_boot else ""
    hint = f"see that firmware for guests is installed; {remedy(distribution, Need.OVMF)}{without}"
    return HostError(error.message, hint)
