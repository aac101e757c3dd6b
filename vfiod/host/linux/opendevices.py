"""Who has a device open, by its number: descriptors and mappings of each process (proc(5)).

By number and not by path: a container, a chroot and a node that was renamed call the same device
otherwise. psutil knows descriptors by path only, hence by hand.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from vfiod.host.linux.statx import DeviceNumbers, Number

# Links of /proc/PID/task: two, and one for each thread (kernel: fs/proc/base.c).
_ONE_THREAD = 3
# Of a line "start-end rw-s offset device inode path" (proc(5)), from the s of a shared mapping on.
# DRM and vfio refuse a private one (kernel: is_cow_mapping() in drm_gem_shmem_helper.c and
# ttm_bo_vm.c, VM_SHARED in vfio_pci_core.c), and sound is mapped to be shared. The private ones are
# libraries, nine of ten, in every process.
_SHARED = re.compile(rb"s \w+ (\w+:\w+) (\d+) +(/.*)")
_CHUNK = 1 << 16


class OpenDevices:
    """One look at processes. ``nodes``: the wanted numbers, and what to call each."""

    def __init__(self, proc: Path, nodes: Mapping[Number, str]) -> None:
        self._proc = proc
        self._nodes = nodes
        self._named = {node.encode(): node for node in nodes.values()}
        self._numbers = DeviceNumbers()
        # The same libraries are mapped everywhere: each file is looked at once.
        self._files: dict[tuple[bytes, ...], str | None] = {}

    def find(self, among: Collection[int] | None = None) -> Iterator[tuple[int, str]]:
        """Process ids with a node they have open; a process may end while it is looked at."""
        for pid in self._all() if among is None else among:
            with suppress(OSError):
                for node in sorted(self._held_by(f"{self._proc}/{pid}")):
                    yield pid, node

    def _all(self) -> Iterator[int]:
        yield from (int(name) for name in os.listdir(self._proc) if name.isdecimal())

    def _held_by(self, process: str) -> set[str]:
        """What its first thread has, or if that has ended, the others.

        A process whose thread waits in the kernel has files open even though it was killed.
        """
        found, is_empty = self._of_task(process)
        if is_empty and os.stat(f"{process}/task").st_nlink != _ONE_THREAD:
            for thread in os.listdir(f"{process}/task"):
                with suppress(OSError):
                    found |= self._of_task(f"{process}/task/{thread}")[0]
        return found

    def _of_task(self, task: str) -> tuple[set[str], bool]:
        """The nodes, and whether there was no descriptor at all."""
        found = set(self._mapped(task))
        with _opened(f"{task}/fd") as directory:
            names = os.listdir(directory)
            for name in names:
                with suppress(OSError):
                    if number := self._numbers.behind(name, directory):
                        found.add(self._nodes.get(number))
        return {node for node in found if node is not None}, not names

    def _mapped(self, task: str) -> Iterator[str | None]:
        """A mapping keeps a device open after its descriptor was closed."""
        text = _read(f"{task}/maps")
        for found in _SHARED.finditer(text):
            file = found.groups()
            if file not in self._files:
                begin = text.rfind(b"\n", 0, found.start()) + 1
                name = text[begin : text.index(b" ", begin)]
                self._files[file] = self._behind_mapping(task, name, file[-1])
            yield self._files[file]

    def _behind_mapping(self, task: str, place: bytes, path: bytes) -> str | None:
        """By its number; where that is not for us to follow (CAP_SYS_ADMIN), by its path."""
        start, _, end = place.partition(b"-")
        name = f"{int(start, 16):x}-{int(end, 16):x}"
        try:
            with _opened(f"{task}/map_files") as directory:
                number = self._numbers.behind(name, directory)
        except OSError:
            return self._named.get(path.removesuffix(b" (deleted)"))
        return self._nodes.get(number or (0, 0))


def _read(path: str) -> bytes:
    """A file of /proc; empty if it is not for us, or its process has ended."""
    parts = []
    with suppress(OSError):
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            while part := os.read(file, _CHUNK):
                parts.append(part)
        finally:
            os.close(file)
    return b"".join(parts)


@contextmanager
def _opened(path: str) -> Iterator[int]:
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield directory
    finally:
        os.close(directory)
