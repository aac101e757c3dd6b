"""The guest's memory: all of it, in large pages where the host has them. Pure.

Sources: https://libvirt.org/formatdomain.html#memory-backing; kernel,
Documentation/admin-guide/mm/hugetlbpage.rst; QEMU: backends/hostmem.c, which wants each piece of
memory to be whole pages.
"""

from collections.abc import Iterator

from vfiod.tools.tune.change import Change
from vfiod.tools.tune.edits import Drop, Put
from vfiod.tools.tune.facts import Guest, Host
from vfiod.util.hugepages import shown

_KIB = 1024
_SMALL = 2048  # KiB; larger ones are mostly to be had at boot only


def propose(guest: Guest, host: Host) -> Iterator[Change]:
    """No balloon beside devices; hugepages if enough are reserved, now or at each start, and
    libvirt can have them.

    A guest that asks for hugepages already is left with those that it asks for.
    """
    if guest.hostdevs:
        none = (Drop("devices/memballoon/*"), Put("devices/memballoon", {"model": "none"}))
        reason = "devices of the host hold all of the guest's memory: a balloon can free none"
        yield Change("balloon", reason, none)
    size = page_size(guest, host)
    if size is not None and not guest.hugepages:
        page = (Put("memoryBacking/hugepages/page", {"size": str(size), "unit": "KiB"}),)
        reason = f"memory in pages of {shown(size * _KIB)}, which are found in fewer steps"
        yield Change("hugepages", reason, page)


def page_size(guest: Guest, host: Host) -> int | None:
    """In KiB: the first of ``sizes_there`` that libvirt finds a file system for."""
    return next((s for s in sizes_there(guest, host) if s in host.settings.mounted), None)


def sizes_there(guest: Guest, host: Host) -> list[int]:
    """Sizes of page in KiB that fit the memory: those that are reserved for all of it, the largest
    first, and then those that vfiod reserves at each start.
    """
    pools = sorted(host.settings.hugepages.items(), reverse=True)
    there = [size for size, pages in pools if pages * size >= guest.memory_kib]
    if host.asked is not None and host.asked.hugepages is not None:
        there.append(_SMALL)
    return [size for size in there if fits(guest, size)]


def fits(guest: Guest, size: int) -> bool:
    """Whether all of the memory is whole pages of so many KiB."""
    return all(piece % size == 0 for piece in guest.pieces)
