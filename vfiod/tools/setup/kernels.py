"""The kernels of this host, and the programs that write a boot entry for each of them.

What is to be run is written down without kernels: by the time it runs, one may have come or gone.
"""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from vfiod.tools.setup.changes import Command
from vfiod.util import sysfs

Kernel = tuple[str, str]
# Of all kernels; an older kernel-install knows `add` alone, which is run for each instead.
ENTRIES: Command = ("kernel-install", "add-all")
_ADD = ("kernel-install", "add")


def installed(root: Path) -> Iterator[Kernel]:
    """Releases with their images, where distributions keep them."""
    for release in sysfs.names(root / "lib/modules"):
        for image in (f"/lib/modules/{release}/vmlinuz", f"/boot/vmlinuz-{release}"):
            # Not Path.exists, which raises where /boot is closed to this user.
            if os.path.exists(root / image[1:]):
                yield release, image
                break


def commands(programs: Collection[Command], kernels: Collection[Kernel]) -> tuple[Command, ...]:
    """What is run: the entries come last, as they may take up what the others have built."""
    others = tuple(program for program in programs if program != ENTRIES)
    if len(others) == len(programs):
        return others
    return (*others, *(tuple((*_ADD, *kernel) for kernel in kernels) or (ENTRIES,)))


def of_all(program: Command) -> Command:
    """The same without a kernel: earlier versions wrote down one `add` for each there was."""
    return ENTRIES if program[:2] == _ADD else program
