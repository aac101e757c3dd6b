"""What ``vfiod tune`` changes in a definition, to be put back without the rest. Pure.

It is all that the edits of this package name: what another one names belongs in here too.
"""

from collections.abc import Iterator
from typing import Any

from vfiod.errors import HostError
from vfiod.guest import tree
from vfiod.guest.change import Share
from vfiod.guest.slots import leave_taken
from vfiod.tools.tune import edits
from vfiod.util.typed import virsh

_PATHS = (
    "cpu", "cputune/vcpupin", "cputune/emulatorpin", "cputune/iothreadpin", "numatune/memory",
    "clock/timer", "features/hyperv", "features/kvm", "memoryBacking/hugepages", "iothreads",
    "devices/memballoon",
)  # fmt: skip
_THREAD = "iothread"


def _take_out(root: Any) -> None:
    for path in _PATHS:
        for element in root.findall(path):
            tree.remove(element)
        _tidy(root, path)
    for device in _threaded(root).values():
        _set_thread(device, None)


def _put_back(root: Any, before: Any) -> None:
    _require_same_cpus(root, before)
    for path in _PATHS:
        _exchange(root, before, path)
    leave_taken(root, root.findall("devices/memballoon"))
    old = _threaded(before)
    for name, device in _threaded(root).items():
        _set_thread(device, _thread(old[name]) if name in old else None)


def _require_same_cpus(root: Any, before: Any) -> None:
    """Old pins and an old topology are for the old number of CPUs; libvirt refuses others."""
    now, then = (int(r.findtext("vcpu", "1")) for r in (root, before))
    if now != then:
        name = root.findtext("name", "")
        raise HostError(
            f"{name} had {then} vCPUs before it was tuned and has {now} now: what was tuned is not "
            "put back for another number of them",
            f"make them {then} again, or take out by hand what you do not want: "
            f"{virsh('edit', name)}",
        )


def _exchange(root: Any, before: Any, path: str) -> None:
    old, new = root.findall(path), before.findall(path)
    parent, _, _ = path.rpartition("/")
    if parent and new:
        edits.apply(root, [edits.Put(parent)])
    place = root.find(parent) if parent else root
    if place is not None:
        tree.exchange(place, old, new)
    _tidy(root, path)


def _tidy(root: Any, path: str) -> None:
    """An element that only held what has gone goes too."""
    parent = root.find(path.rpartition("/")[0] or ".")
    if parent is not None and parent is not root and not len(parent) and not parent.attrib:
        tree.remove(parent)


def _threaded(root: Any) -> dict[tuple[str, ...], Any]:
    """Disks and SCSI controllers by what libvirt tells them apart by."""
    disks = ((("disk", d.find("target").get("dev")), d) for d in _with_target(root))
    scsi = root.iterfind("devices/controller[@type='scsi']")
    return {**dict(disks), **{("scsi", c.get("index", "")): c for c in scsi}}


def _with_target(root: Any) -> Iterator[Any]:
    return (disk for disk in root.iterfind("devices/disk") if disk.find("target") is not None)


def _thread(device: Any) -> str | None:
    driver = device.find("driver")
    return None if driver is None else driver.get(_THREAD)


def _set_thread(device: Any, number: str | None) -> None:
    if number is not None:
        edits.apply(device, [edits.Put("driver", {_THREAD: number})])
    elif (driver := device.find("driver")) is not None:
        driver.attrib.pop(_THREAD, None)
        if not driver.attrib and not len(driver):
            tree.remove(driver)


SHARE = Share(_take_out, _put_back)
