"""NVIDIA's driver and the sound of its card, which must not be with vfio-pci beside it.

The driver takes what function 1's driver keeps for itself as a sound card, whoever's it is, and
brings the kernel down if it is vfio-pci's (NVIDIA/open-gpu-kernel-modules: kernel-open/nvidia/nv.c,
nv_audio_dynamic_power(); issue 1365). A function without a driver keeps nothing, and does no harm.
"""

from dataclasses import replace

from vfiod.errors import HostError, KernelStuck, NotThere
from vfiod.host.door import Host
from vfiod.model import VFIO_DRIVER, PciAddress, PciFunction

NVIDIA = "nvidia"
_SOUND = 1


def sound_of(card: PciAddress) -> PciAddress:
    """The function that the driver takes for the card's sound; there need not be one."""
    return replace(card, function=_SOUND)


def take_sound_from_vfio(host: Host, card: PciAddress, seconds: float) -> None:
    """Before the driver may have the card: its sound, if that is not home yet, has no driver.

    Arguments: ``seconds`` is how long the kernel may take. Raises HostError if it stays with
    vfio-pci, or may still be on its way out of it: the driver must not be bound then.
    """
    sound = _find(host, card)
    if sound is None:
        return
    if sound.driver == VFIO_DRIVER and not _is_held(host, sound):
        host.pci.unbind(sound.address, seconds=seconds)
    require_sound_away(host, card)


def require_sound_away(host: Host, card: PciAddress) -> None:
    """Raise HostError if the card's sound is with vfio-pci, or the kernel is not done with it."""
    sound = _find(host, card)
    if sound is None:
        return
    words = f"{card} was not given to {NVIDIA}: its sound {sound.address}"
    if sound.driver == VFIO_DRIVER:
        raise HostError(f"{words} is with {VFIO_DRIVER}, and the two would crash the kernel")
    # The link goes before the driver has let go of what it keeps (drivers/base/dd.c).
    if sound.driver is None and (late := _late(host, sound)):
        raise KernelStuck(f"{words} may still be leaving {VFIO_DRIVER}", pids=late)


def _find(host: Host, card: PciAddress) -> PciFunction | None:
    if sound_of(card) == card:
        return None
    try:
        return host.pci.function(sound_of(card))
    except NotThere:
        return None


def _is_held(host: Host, sound: PciFunction) -> bool:
    """Unbinding it under an open QEMU waits for ever (kernel: vfio_main.c)."""
    return sound.group is not None and bool(host.processes.vfio_holders([sound.group]))


def _late(host: Host, sound: PciFunction) -> list[int]:
    """Processes that the kernel is busy with for it; of an earlier daemon's nobody knows."""
    return [call.pid for call in host.late.calls() if call.subject in ("", str(sound.address))]
