"""What may keep the screen dark while no handoff is under way. Pure.

vfiod has nothing to take back then, and must not say that all is well: a card may be set aside for
guests since the boot, or be left over from what somebody did by hand.
"""

from vfiod.errors import VfiodError
from vfiod.model import VFIO_DRIVER, PciFunction


def find_away(function: PciFunction) -> VfiodError | None:
    """What is wrong with a configured function that is the host's; None if nothing is seen.

    Only the driver is looked at: whether a card answers cannot be asked in no time.
    """
    if not function.is_display or function.is_virtual:
        return None
    if function.driver == VFIO_DRIVER:
        return VfiodError(
            f"{function.address} is with {VFIO_DRIVER}: the host can show nothing on it",
            "whether it is set aside for guests since the boot, and by what: vfiod doctor\n"
            "if it is not, a reboot gives it back to the host: sudo systemctl reboot",
        )
    if function.driver is None:
        return VfiodError(
            f"{function.address} has no driver",
            "whether it should have one: vfiod doctor\n"
            "the kernel's reason, if it has one: sudo journalctl -k -b",
        )
    return None
