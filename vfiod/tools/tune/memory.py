"""The guest's memory: all of it, in large pages where the host has them. Pure.

Sources: https://libvirt.org/formatdomain.html#memory-backing; kernel,
Documentation/admin-guide/mm/hugetlbpage.rst; QEMU: backends/hostmem.c, which wants each piece of
memory to be whole pages.
"""

from collections.abc import Iterator

from vfiod.tools.tune.change import Change
from vfiod.tools.tune.edits import Drop, Put
from vfiod.tools.tune.facts import Guest, Host

_SMALL = 2048  # KiB; larger ones are mostly to be had at boot only


def propose(guest: Guest, host: Host) -> Iterator[Change]:
    """No balloon beside devices; hugepages if enough are reserved, now or at each start.

    A guest that asks for hugepages already is left with those that it asks for.
    """
    if guest.hostdevs:
        none = (Drop("devices/memballoon/*"), Put("devices/memballoon", {"model": "none"}))
        reason = "devices of the host hold all of the guest's memory: a balloon can free none"
        yield Change("balloon", reason, none)
    size = page_size(guest, host)
    if size is not None and not guest.hugepages:
        page = (Put("memoryBacking/hugepages/page", {"size": str(size), "unit": "KiB"}),)
        reason = f"memory in pages of {_shown(size)}, which are found in fewer steps"
        yield Change("hugepages", reason, page)


def page_size(guest: Guest, host: Host) -> int | None:
    """In KiB: of pages that are there, else of those that vfiod reserves at each start."""
    reserves = host.asked is not None and host.asked.hugepages is not None
    ours = _SMALL if reserves and fits(guest, _SMALL) else None
    return fitting_page(guest, host) or ours


def fitting_page(guest: Guest, host: Host) -> int | None:
    """The largest page size in KiB that fits the memory and is reserved for all of it."""
    for size, pages in sorted(host.settings.hugepages.items(), reverse=True):
        if fits(guest, size) and pages * size >= guest.memory_kib:
            return size
    return None


def fits(guest: Guest, size: int) -> bool:
    """Whether all of the memory is whole pages of so many KiB."""
    return all(piece % size == 0 for piece in guest.pieces)


def _shown(kib: int) -> str:
    return f"{kib // 1024**2} GiB" if kib >= 1024**2 else f"{kib // 1024} MiB"
