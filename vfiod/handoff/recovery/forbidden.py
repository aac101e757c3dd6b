"""What keeps a remedy from being tried: it would do harm, or never end."""

from vfiod.errors import HostError
from vfiod.handoff.steps import nvidia
from vfiod.host.door import Host
from vfiod.model import PciAddress


class LeftOut(HostError):
    """A remedy that must not be tried now: it would do harm, or never end. Nothing was touched."""


def is_free(host: Host, address: PciAddress) -> bool:
    """False while a guest holds the function's group: it must not be touched then."""
    try:
        group = host.pci.function(address).group
    except HostError:
        return True  # it has vanished: looking for it again is what helps
    return group is None or not host.processes.vfio_holders([group])


def require_let_go(host: Host, address: PciAddress) -> None:
    """Raise LeftOut if its driver would wait for those who have it open, for ever.

    NVIDIA's does, in its remove(). Others of displays leave at once and tell them (kernel:
    drm_dev_unplug()); sound cuts its users off first, and waits until they have closed what they
    can do nothing with any more (kernel: azx_remove(); sound/core/init.c, snd_card_free()).
    """
    function = host.pci.functions().get(address)
    if function is None or function.driver != nvidia.NVIDIA:
        return
    if holders := host.processes.holders([address]):
        names = ", ".join(sorted({f"{h.command} (pid {h.pid})" for h in holders}))
        raise LeftOut(f"{address} is still held by {names}", f"end what holds it: {names}")


def require_sound_away(host: Host, address: PciAddress, driver: str) -> None:
    """Raise LeftOut if this driver, NVIDIA's, might get a card whose sound is with vfio-pci."""
    if driver == nvidia.NVIDIA:
        try:
            nvidia.require_sound_away(host, address)
        except HostError as error:
            raise LeftOut(error.message) from error
