"""Who has a device open, by its number: descriptors and mappings of each process (proc(5)).

By number and not by path: a container, a chroot and a node that was renamed call the same device
otherwise. psutil knows descriptors by path only, hence by hand.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
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
_NO_DEVICE = (0, 0)


class OpenDevices:
    """One look at processes.

    ``nodes``: the wanted numbers, and what to call each; ``silent``: the processes whose mappings
    are not asked for, as there is no answer (vfiod.host.linux.looks).
    """

    def __init__(
        self, proc: Path, nodes: Mapping[Number, str], silent: AbstractSet[int] = frozenset()
    ) -> None:
        self._proc = proc
        self._nodes, self._silent = nodes, silent
        self._named = {node.encode(): node for node in nodes.values()}
        self._numbers = DeviceNumbers()
        # The same libraries are mapped everywhere: each file is looked at once.
        self._files: dict[tuple[bytes, ...], str | None] = {}

    def held_by(self, pid: int) -> Iterator[str]:
        """The nodes that a process has open. Raises OSError if it has ended.

        First by descriptors: no lock of the process's is needed for these.
        """
        process = f"{self._proc}/{pid}"
        found, is_empty = self._described(process)
        yield from found
        threads = self._threads(process) if is_empty else ()
        for thread in threads:
            with suppress(OSError):
                yield from self._described(thread)[0]
        if pid not in self._silent:
            for task in (process, *threads):
                yield from self._mapped(task)

    def _threads(self, process: str) -> Sequence[str]:
        """Those that may have what its first thread, which has ended, does not have any more.

        A process whose thread waits in the kernel has files open even though it was killed.
        """
        if os.stat(f"{process}/task").st_nlink == _ONE_THREAD:
            return ()
        return [f"{process}/task/{thread}" for thread in os.listdir(f"{process}/task")]

    def _described(self, task: str) -> tuple[list[str], bool]:
        """The nodes behind its descriptors, and whether there was no descriptor at all."""
        found = set()
        with _opened(f"{task}/fd") as directory:
            names = os.listdir(directory)
            for name in names:
                if (node := self._behind(name, directory)) is not None:
                    found.add(node)
        return sorted(found), not names

    def _behind(self, name: str, directory: int) -> str | None:
        """The node; None also if the descriptor was closed in between."""
        try:
            return self._nodes.get(self._numbers.behind(name, directory) or _NO_DEVICE)
        except OSError:
            return None

    def _mapped(self, task: str) -> Iterator[str]:
        """A mapping keeps a device open after its descriptor was closed."""
        text = _read(f"{task}/maps")
        for found in _SHARED.finditer(text):
            file = found.groups()
            if file not in self._files:
                begin = text.rfind(b"\n", 0, found.start()) + 1
                name = text[begin : text.index(b" ", begin)]
                self._files[file] = self._behind_mapping(task, name, file[-1])
            if (node := self._files[file]) is not None:
                yield node

    def _behind_mapping(self, task: str, place: bytes, path: bytes) -> str | None:
        """By its number; where that is not for us to follow (CAP_SYS_ADMIN), by its path."""
        start, _, end = place.partition(b"-")
        name = f"{int(start, 16):x}-{int(end, 16):x}"
        try:
            with _opened(f"{task}/map_files") as directory:
                number = self._numbers.behind(name, directory)
        except OSError:
            return self._named.get(path.removesuffix(b" (deleted)"))
        return self._nodes.get(number or _NO_DEVICE)


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
