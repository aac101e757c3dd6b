"""The door to libvirt, for the command line only.

The daemon never calls libvirt: while a hook waits for it, libvirt waits too, and both would
wait for ever (libvirt: docs/hooks.rst).
"""

import time

import libvirt
import libvirt_qemu

from vfiod.errors import HostError

URI = "qemu:///system"
_PING = '{"execute": "guest-ping"}'
_PING_SECONDS = 5
_PAUSE = 0.5


def domain_xml(name: str) -> str:
    """The definition a start would use, without secrets; any user may read it."""
    try:
        connection = libvirt.openReadOnly(URI)
        text: str = connection.lookupByName(name).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    except libvirt.libvirtError as error:
        raise _told(error) from error
    return text


def destroy(name: str) -> None:
    """Pull the guest's plug. Raises HostError if libvirt refuses; not running is no error."""
    try:
        libvirt.open(URI).lookupByName(name).destroy()
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
            raise _told(error) from error


def start(name: str) -> None:
    """What virsh start does. Raises HostError with libvirt's reason."""
    try:
        libvirt.open(URI).lookupByName(name).create()
    except libvirt.libvirtError as error:
        raise _told(error) from error


def shut_down(name: str, *, seconds: float) -> None:
    """Ask the guest to shut down; pull its plug if it still runs after this time."""
    try:
        guest = libvirt.open(URI).lookupByName(name)
        if not guest.isActive():
            return
        guest.shutdown()
        deadline = time.monotonic() + seconds
        while guest.isActive() and time.monotonic() < deadline:
            time.sleep(_PAUSE)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
            raise _told(error) from error
    destroy(name)


def answers(name: str) -> bool:
    """True if the guest's agent answers (qemu-ga(8)): its system is up."""
    try:
        guest = libvirt.open(URI).lookupByName(name)
        libvirt_qemu.qemuAgentCommand(guest, _PING, _PING_SECONDS, 0)
    except libvirt.libvirtError:
        return False
    return True


def _told(error: libvirt.libvirtError) -> HostError:
    return HostError(f"libvirt says: {error.get_error_message()}", "see: virsh list --all")


# libvirt prints every error to stderr by itself unless told not to.
libvirt.registerErrorHandler(lambda _context, _error: None, None)
