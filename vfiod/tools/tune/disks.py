"""Disk work in a thread of its own, beside QEMU's main loop. Pure.

Only for virtio disks that are there: another bus would need another driver in the guest. Not for
those of vhost-user, whose work another program does: libvirt refuses such a thread.
Source: https://libvirt.org/formatdomain.html#iothreads-allocation
"""

from collections.abc import Iterator
from typing import Any

from vfiod.tools.tune.change import Change
from vfiod.tools.tune.edits import Edit, Put
from vfiod.tools.tune.facts import Guest
from vfiod.tools.tune.placement import Placement
from vfiod.util import cpulist


def propose(guest: Guest, root: Any, placement: Placement | None) -> Iterator[Change]:
    """An I/O thread for each virtio disk and SCSI controller that has none, and its pin."""
    first = guest.iothreads[0] if guest.iothreads else 1
    disks = [*_disks(root, first), *_controllers(root, first)]
    if disks:
        count = () if guest.iothreads else (Put("iothreads", text="1"),)
        reason = "the virtio disks do not wait for QEMU's main loop"
        yield Change("iothreads", reason, (*count, *disks))
    numbers = guest.iothreads or ((first,) if disks else ())
    if placement is not None and numbers:
        yield from _pins(guest, numbers, placement)


def _disks(root: Any, thread: int) -> Iterator[Edit]:
    for place, disk in enumerate(root.iterfind("devices/disk"), 1):
        target = disk.find("target")
        is_virtio = target is not None and target.get("bus") == "virtio"
        is_ours = is_virtio and disk.get("type") != "vhostuser"
        if is_ours and disk.get("device", "disk") == "disk" and _has_none(disk):
            yield Put(f"devices/disk[{place}]/driver", {"iothread": str(thread)})


def _controllers(root: Any, thread: int) -> Iterator[Edit]:
    for place, controller in enumerate(root.iterfind("devices/controller"), 1):
        is_virtio = controller.get("type") == "scsi" and controller.get("model") == "virtio-scsi"
        if is_virtio and _has_none(controller):
            yield Put(f"devices/controller[{place}]/driver", {"iothread": str(thread)})


def _has_none(device: Any) -> bool:
    driver = device.find("driver")
    return driver is None or not (driver.get("iothread") or driver.find("iothreads") is not None)


def _pins(guest: Guest, numbers: tuple[int, ...], placement: Placement) -> Iterator[Change]:
    taken = {cpu for pin in placement.pins for cpu in pin}
    loose = [n for n in numbers if taken.intersection(guest.iothread_pins.get(n, taken))]
    where = {"cpuset": cpulist.write(placement.host)}
    edits = tuple(Put(f"cputune/iothreadpin[@iothread='{n}']", where) for n in loose)
    yield Change("iothreads", "I/O threads stay off the guest's CPUs", edits)
