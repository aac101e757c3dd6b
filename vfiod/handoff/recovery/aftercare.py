"""After a return: does every function still answer, a little after libvirt has finished? Pure
but for the reading of the host.

A return ends with a greeter on a card that answers. What resets the card after that (a libvirt
that was late, a firmware) is seen by nobody else: driver link, DRM node and display manager stay.
"""

from collections.abc import Collection, Mapping, Sequence

from vfiod.errors import HostError
from vfiod.handoff.journal import Entry, Record
from vfiod.handoff.steps.base import Step
from vfiod.handoff.steps.containers import StopContainer
from vfiod.handoff.steps.desktop import StopUnit
from vfiod.handoff.steps.devices import Detach, KeepAwake
from vfiod.handoff.steps.displaymanager import StopDisplayManager
from vfiod.handoff.steps.screen import AwaitDisplay
from vfiod.host.door import Host
from vfiod.model import VFIO_DRIVER, PciAddress

SETTLE_SECONDS = 3.0
# Until what was found dead is looked at again: one that is just waking up answers then.
CONFIRM_SECONDS = 1.0
# For as long as libvirt has not cleaned up after the guest, and not longer.
WATCH_SECONDS = 600.0
_USERS = (StopDisplayManager, StopUnit, StopContainer)


def find_dead(host: Host, record: Record, left: Collection[Entry] = ()) -> Mapping[PciAddress, str]:
    """Functions that this handoff gave back and that do not answer, and why, for a person.

    ``left``: what is known to be stuck, and is none of these. Raises HostError if none is found
    and one could not be looked at: that says nothing about the function.
    """
    # By device: a recovery journals its own entry for one that was home already.
    stuck = {e.step.device for e in left if isinstance(e.step, Detach | AwaitDisplay)}
    steps = [e.step for e in record.entries if e.step.device not in stuck]
    addresses = [step.address for step in steps if isinstance(step, Detach)]
    dead: dict[PciAddress, str] = {}
    unseen: list[HostError] = []
    for address in addresses:
        try:
            if fault := _fault(host, address):
                dead[address] = fault
        except HostError as error:
            unseen.append(HostError(f"whether {address} answers is not known: {error.message}"))
    if unseen and not dead:
        raise unseen[0]
    return dead


def find_blind(host: Host, record: Record) -> Sequence[PciAddress]:
    """Displays of the host that see no screen, although one was before; none if somebody has
    logged in at the screen, whose work must not end for it. What an earlier login has left behind
    (a tmux, a build) does not: no display manager ends that.
    """
    sessions = host.logins.sessions()
    if any(s.is_person and s.seat == "seat0" and not s.closing for s in sessions):
        return ()
    waited = [
        e for e in record.entries if isinstance(e.step, AwaitDisplay) and e.prior["connected"]
    ]
    addresses = [e.step.address for e in waited if isinstance(e.step, AwaitDisplay)]
    return [a for a in addresses if not host.pci.output(a).connected]


def needs_watching(host: Host, record: Record) -> bool:
    """True while libvirt may still reset the devices."""
    return is_recent(host, record) and not host.guests.is_cleaned_up(record.uuid)


def is_recent(host: Host, record: Record) -> bool:
    """True while a look may be repeated."""
    return host.now() - record.since < WATCH_SECONDS


def entries_to_keep(record: Record) -> tuple[Entry, ...]:
    """What a look after the return goes by, and what may have to be undone once more then."""
    kinds = (*_USERS, AwaitDisplay, Detach, KeepAwake)
    return tuple(entry for entry in record.entries if isinstance(entry.step, kinds))


def entries_to_revive(record: Record, dead: Collection[PciAddress]) -> tuple[Entry, ...]:
    """What must be undone once more for these functions; the rest is home and well.

    Those who used the card end with its display alone: nobody's desktop is in the way of a sound
    or USB controller.
    """
    waited = [e.step.address for e in record.entries if isinstance(e.step, AwaitDisplay)]
    is_dark = not set(dead).isdisjoint(waited)
    return tuple(e for e in record.entries if _is_concerned(e.step, dead, is_dark=is_dark))


def ends_users(step: Step) -> bool:
    """True for a step that ends somebody who uses the card, or would again at once."""
    return isinstance(step, _USERS)


def _is_concerned(step: Step, dead: Collection[PciAddress], *, is_dark: bool) -> bool:
    if isinstance(step, StopDisplayManager):
        return not set(dead).isdisjoint(step.displays)
    return is_dark if ends_users(step) else step.device in map(str, dead)


def _fault(host: Host, address: PciAddress) -> str | None:
    """Raises HostError if it could not be looked at."""
    try:
        driver = host.pci.driver(address)
    except HostError as error:
        return error.message  # it is not there: nothing else is an error of this
    return host.pci.fault(address) if driver not in (None, VFIO_DRIVER) else None
