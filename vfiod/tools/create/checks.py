"""All that forbids making a new guest, found before anything is made."""

import os
import shutil
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from vfiod.errors import HostError, VfiodError
from vfiod.host.facts.boot import read_distribution
from vfiod.host.facts.guest_firmware import read_guest_firmware
from vfiod.host.facts.packages import Need, remedy
from vfiod.paths import IMAGES, SEARCH
from vfiod.tools.create import firmware
from vfiod.tools.create.command import VIRT_INSTALL
from vfiod.tools.create.request import CreateRequest
from vfiod.tools.create.values import show_size
from vfiod.util import sysfs
from vfiod.util.programs import find

QEMU_IMG = "qemu-img"

_TPM_PROGRAMS = ("swtpm", "swtpm_setup")
_SECTOR = 2048
_DESCRIPTORS = 16  # ECMA-119: the sector where they begin, each with CD001 after its first byte
_MAGIC = b"CD001"
_SMALLEST_DISK = 2**30
_SMALLEST_MEMORY = 2**28


def find_faults(
    guest: CreateRequest, names: Collection[str], root: Path = Path("/")
) -> list[VfiodError]:
    """Everything at once; an empty list means go. ``names``: the guests there are."""
    return [*find_faults_of_definition(guest, names, root), *_room(guest)]


def find_faults_of_definition(
    guest: CreateRequest, names: Collection[str], root: Path = Path("/")
) -> list[VfiodError]:
    """The same without what only making the disk needs: room for it, and a place of its own."""
    return [
        *_programs(root),
        *_name(guest, names),
        *_sizes(guest, root),
        *_minimum(guest),
        *firmware.faults(guest, read_guest_firmware(root), read_distribution(root)),
        *_cd(guest.installer),
        *(_cd(guest.drivers) if guest.drivers else ()),
    ]


def _programs(root: Path) -> Iterator[VfiodError]:
    for program, need in ((VIRT_INSTALL, Need.VIRT_INSTALL), (QEMU_IMG, Need.QEMU_IMG)):
        if find(program) is None:
            yield HostError(f"{program} is missing", remedy(read_distribution(root), need))


def find_missing_tpm(
    guest: CreateRequest, root: Path = Path("/"), search: str = SEARCH
) -> list[VfiodError]:
    """What a start would need, the definition alone not."""
    absent = [name for name in _TPM_PROGRAMS if find(name, search) is None]
    if guest.system.needs_tpm and absent:
        what = f"Windows 11 wants a TPM, and {' and '.join(absent)} to emulate one is missing"
        return [HostError(what, remedy(read_distribution(root), Need.SWTPM))]
    return []


def _name(guest: CreateRequest, names: Collection[str]) -> Iterator[VfiodError]:
    if guest.name in names:
        yield HostError(f"there is a guest {guest.name} already", "choose another name")


def _sizes(guest: CreateRequest, root: Path) -> Iterator[VfiodError]:
    memory, cpus = _host_memory(root), os.cpu_count() or 1
    if guest.disk_size < _SMALLEST_DISK:
        size = show_size(guest.disk_size)
        yield HostError(f"a disk of {size} is too small", "try --disk 100G")
    if guest.memory < _SMALLEST_MEMORY:
        yield HostError(f"{show_size(guest.memory)} of memory are too little", "try --memory 8G")
    if memory and guest.memory >= memory:
        yield HostError(
            f"the guest is to have {show_size(guest.memory)} of memory, the host itself has "
            f"{show_size(memory)}",
            "leave the host some: --memory",
        )
    if guest.cpus > cpus:
        what = f"the guest is to have {guest.cpus} CPUs, the host has {cpus}"
        yield HostError(what, f"choose 1 to {cpus}: --cpus")


def _host_memory(root: Path) -> int | None:
    for line in (sysfs.read(root / "proc/meminfo") or "").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return None


def _minimum(guest: CreateRequest) -> Iterator[VfiodError]:
    """What its installer would refuse, with the guest made and started in vain."""
    least, title = guest.system.minimum, guest.system.title
    if guest.memory < least.memory:
        have, want = show_size(guest.memory), show_size(least.memory)
        yield HostError(
            f"{title} does not install with {have} of memory: it wants {want}",
            f"choose {want} or more: --memory",
        )
    if guest.cpus < least.cpus:
        yield HostError(
            f"{title} does not install with {guest.cpus} CPU: it wants {least.cpus}",
            f"choose {least.cpus} or more: --cpus",
        )
    if guest.disk_size < least.disk:
        have, want = show_size(guest.disk_size), show_size(least.disk)
        yield HostError(
            f"{title} does not install on a disk of {have}: it wants {want}",
            f"choose {want} or more: --disk; it takes only what the guest writes",
        )


def _room(guest: CreateRequest) -> Iterator[VfiodError]:
    folder, size = guest.disk.parent, guest.disk_size
    if os.path.lexists(guest.disk):
        yield HostError(
            f"{guest.disk} exists already and is not overwritten",
            "choose another name, or another file with --disk-file",
        )
    if not folder.is_dir():
        yield HostError(f"there is no directory {folder}", f"make it: sudo mkdir -p {folder}")
        return
    yield from _reach(guest.disk)
    free = shutil.disk_usage(folder).free
    if size > free:
        yield HostError(
            f"the disk may grow to {show_size(size)} and {folder} has {show_size(free)} free",
            "choose a smaller --disk, or another place with --disk-file",
        )


def _cd(path: Path) -> Iterator[VfiodError]:
    try:
        with path.open("rb") as file:
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            file.seek(_DESCRIPTORS * _SECTOR + 1)
            magic = file.read(len(_MAGIC))
    except OSError as error:
        yield HostError(f"cannot read {path}: {error.strerror}", "see that it is spelt right")
        return
    if not regular or magic != _MAGIC:
        yield HostError(f"{path} is not a CD image (ISO 9660)", "download it again")
    else:
        yield from _reach(path)


def _reach(path: Path) -> Iterator[VfiodError]:
    """libvirt gives the file itself to QEMU's user, but not the way to it."""
    for folder in path.absolute().parents:
        try:
            mode = folder.stat().st_mode
        except OSError:
            continue
        if not mode & stat.S_IXOTH and not _has_acl(folder):
            yield HostError(
                f"QEMU is another user and cannot get at {path}: {folder} is closed to others",
                f"move the file to {IMAGES}",
            )
            return


def _has_acl(folder: Path) -> bool:
    """Then only the kernel can tell who may pass (acl(5))."""
    try:
        return "system.posix_acl_access" in os.listxattr(folder)
    except OSError:
        return False
