"""A guest that was saved before it had the devices. Pure.

libvirt starts it from the saved image, with the definition in there, and refuses to save a guest
that has devices of the host: so an image is always from before (docs/manpages/virsh.rst,
managedsave).
"""

import shlex

from vfiod.errors import HostError
from vfiod.util.typed import virsh


def saved_state(guest: str) -> HostError:
    """What keeps it from being started with the devices."""
    return HostError(
        f"{guest} has a saved state from before: it would go on from that, without the devices",
        f"start it once without vfiod and shut it down; after an init first: {_revert(guest)}\n"
        f"or drop that state, with what was open in it: {drop(guest)}",
    )


def drop(guest: str) -> str:
    """What has it start anew."""
    return virsh("managedsave-remove", guest)


def _revert(guest: str) -> str:
    return f"sudo vfiod init {shlex.quote(guest)} --revert"
