"""The door to libvirt, for the command line only.

The daemon never calls libvirt: while a hook waits for it, libvirt waits too, and both would
wait for ever (libvirt: docs/hooks.rst).
"""

import libvirt

from vfiod.errors import HostError

URI = "qemu:///system"


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


def _told(error: libvirt.libvirtError) -> HostError:
    return HostError(f"libvirt says: {error.get_error_message()}", "see: virsh list --all")


# libvirt prints every error to stderr by itself unless told not to.
libvirt.registerErrorHandler(lambda _context, _error: None, None)
