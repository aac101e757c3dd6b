"""Whether a guest runs: by who has its devices open, by systemd's scope, by libvirt's file of it.

libvirt writes that file as soon as there is a QEMU, and removes it when it has re-attached the
devices of one that has ended, before it calls the hook's release (libvirt: qemu_process.c,
qemuProcessLaunch and qemuProcessStop). One that libvirt's crash has left may be there for longer.
"""

from collections.abc import Sequence

from vfiod.errors import Busy
from vfiod.handoff.journal import Record
from vfiod.host.door import Host
from vfiod.model import Holder, Phase
from vfiod.util.typed import virsh


def is_out(record: Record) -> bool:
    """True while the devices are a guest's, or prepared for it."""
    return record.phase in (Phase.PREPARED, Phase.GUEST)


def holders(host: Host, record: Record) -> Sequence[Holder]:
    """The QEMU that has the devices open."""
    return host.processes.vfio_holders(record.groups)


def who_has(host: Host, record: Record) -> str:
    """Who has the devices, in words; empty if nobody has. Raises HostError.

    A QEMU that is not seen to hold them but runs has them all the same, in a way that this
    version of vfiod does not know.
    """
    if found := holders(host, record):
        return ", ".join(map(str, found))
    if not is_out(record):
        return ""
    scope = host.guests.scope(record.guest)
    # If libvirt is done with it, this is another guest's, whose name is nearly the same.
    is_its_own = scope is not None and not host.guests.is_cleaned_up(record.uuid)
    return f"systemd has it in {scope}" if is_its_own else ""


def has_let_go(host: Host, record: Record) -> bool:
    """True if QEMU was seen to have the devices and has none of them open any more.

    It may run on without them: they were detached from it. One that was never seen may have them
    in a way that nobody here knows.
    """
    return record.phase is Phase.GUEST and record.seen and not holders(host, record)


def still_runs(record: Record, who: str, *, is_without: bool) -> Busy:
    """Why nothing is taken back; ``is_without``: it was seen to have let go of its devices."""
    hint = (
        f"shut it down: {virsh('shutdown', record.guest)}\n"
        "or have it stopped hard: sudo vfiod return --destroy"
    )
    if is_without:
        hint += "\nor, if they were detached from it, have them back: sudo vfiod return --force"
    return Busy(f"{record.guest} is running: {who}", hint)


def is_starting(host: Host, record: Record) -> bool:
    """True if libvirt, which runs, has a QEMU of the guest. Raises HostError."""
    return not host.guests.is_cleaned_up(record.uuid) and host.guests.libvirt_runs()


def is_running(host: Host, record: Record) -> bool:
    """True if a QEMU has the devices and libvirt has not begun to be done with it."""
    return not host.guests.is_cleaned_up(record.uuid) and bool(holders(host, record))
