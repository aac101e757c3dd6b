"""What disks in a storage pool of libvirt's need of the host: that the pool is active. Pure.

libvirt asks for the file behind a volume only after the hook, when the desktop is gone
(qemuProcessPrepareDomainStorage in its qemu_process.c). A pool is active if it has a status file,
of libvirtd's and virtstoraged's alike. One that starts by itself need not be: virtstoraged starts
it when the first guest asks (storageStateInitialize in its storage_driver.c).
"""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from vfiod import paths
from vfiod.guest.opened import Opened
from vfiod.util.typed import virsh


def read_volumes(root: Element) -> tuple[Opened, ...]:
    """The pools of all disks that the guest does not start without.

    https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms
    """
    return tuple(_volumes(root))


def _volumes(root: Element) -> Iterator[Opened]:
    for source in root.iterfind("devices/disk[@type='volume']/source"):
        pool, volume = source.get("pool", ""), source.get("volume", "")
        # libvirt allows no pool a slash (its storage_conf.c), so no name leads elsewhere.
        is_named = pool and volume and "/" not in pool
        if is_named and source.get("startupPolicy") != "optional":
            yield _volume(pool, volume)


def _volume(pool: str, volume: str) -> Opened:
    file = f"{pool}.xml"
    known = (paths.OTHERS_HOOK, paths.POOLS_AUTOSTARTED / file, paths.POOLS_ACTIVE / file)
    remedy = (
        f"start it: sudo {virsh('pool-start', pool)}\n"
        f"and at every boot of the host: sudo {virsh('pool-autostart', pool)}\n"
        "or name another in the definition"
    )
    lack = f"is in the storage pool {pool}, which is not active"
    element = "<disk type='volume'>"
    return Opened(tuple(map(str, known)), element, remedy, name=volume, lack=lack)
