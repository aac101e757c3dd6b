"""Whether the devices are free for a start: what an earlier handoff left is put right first."""

from vfiod.errors import Busy
from vfiod.handoff.guest_watch import GuestWatch
from vfiod.handoff.journal import Journal, Record
from vfiod.handoff.operation import Handoff
from vfiod.model import Phase


def require_idle(
    journal: Journal, handoff: Handoff, guests: GuestWatch, name: str, *, is_start: bool
) -> None:
    """The guest of this name may be given the devices. Raises Busy if another has them, Stuck.

    ``is_start``: libvirt asks, so that no earlier start of that guest is under way.
    """
    record = journal.read()
    if record is None:
        return
    if record.phase in (Phase.HANDOFF, Phase.RETURN):
        # Nothing runs beside this, so it was broken off: a journal that could not be removed.
        handoff.return_devices(record.transaction, "it was left unfinished")
        return
    if is_start and _is_orphan(record, guests, name):
        handoff.return_devices(record.transaction, "it is started anew")
        return
    if record.phase is Phase.STUCK:
        raise record.stuck
    raise Busy(
        f"the devices are handed over to {record.guest} ({record.phase.value})",
        f"end {record.guest} first; what it is at: vfiod status",
    )


def _is_orphan(record: Record, guests: GuestWatch, name: str) -> bool:
    """Prepared for the very guest that is being prepared: its earlier start is dead.

    libvirt starts a guest once at a time; it was killed before it could start QEMU.
    """
    prepared = record.guest == name and record.phase is Phase.PREPARED
    return prepared and not guests.who_has(record)
