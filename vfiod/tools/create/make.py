"""Making a new guest: virt-install's definition, a disk, and libvirt told; or nothing at all."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from vfiod.errors import HostError
from vfiod.tools.create.checks import QEMU_IMG
from vfiod.tools.create.command import arguments
from vfiod.tools.create.request import CreateRequest
from vfiod.util.programs import finish

_SECONDS = 120
_MODE = 0o600
_MOST_SAID = 400


class Definer(Protocol):
    """Where the guest is defined: libvirt, through vfiod.guest.connection."""

    def define(self, xml: str) -> None:
        """Define it. Raises HostError if libvirt refuses."""


def printed(guest: CreateRequest, uri: str) -> str:
    """virt-install's definition of the guest. Raises HostError with what virt-install says."""
    return _run(arguments(guest, uri))


def make(guest: CreateRequest, xml: str, definer: Definer) -> None:
    """Create the disk and define the guest. Raises HostError, and then leaves neither."""
    with _claimed(guest.disk):
        size = str(guest.disk_size)
        _run([QEMU_IMG, "create", "-q", "-f", "qcow2", "--", str(guest.disk), size])
        definer.define(xml)


def free_bytes(folder: Path) -> int:
    """What the place for the disk has left; 0 if it cannot be told."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def writes_directly(folder: Path) -> bool:
    """Whether a file there can be opened past the host's cache: tmpfs and others cannot.

    Tried with a file without a name (O_TMPFILE, open(2)). Where this user may make none it is
    taken for a place like most.
    """
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_DIRECT | os.O_CLOEXEC, _MODE))
    except OSError as error:
        return error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
    return True


@contextmanager
def _claimed(path: Path) -> Iterator[None]:
    """The file is this one's alone: made new, and removed if what follows fails."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE))
    except OSError as error:
        raise HostError(f"cannot create {path}: {error.strerror}") from error
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _run(command: list[str]) -> str:
    done = finish(command, seconds=_SECONDS, environment=os.environ)
    if done.returncode:
        said = " ".join(done.stderr.split())[:_MOST_SAID]
        raise HostError(f"{command[0]} says: {said or 'nothing'}")
    return done.stdout
