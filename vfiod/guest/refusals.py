"""What libvirt's errors mean for a person, and what to do about each. Hints only where known."""

import errno
import re

import libvirt

from vfiod.errors import HostError, NotAuthorized, UnknownGuest, VfiodError
from vfiod.guest.bounded import SEE_DAEMON

_DENIED = (libvirt.VIR_ERR_AUTH_FAILED, libvirt.VIR_ERR_AUTH_CANCELLED,
           libvirt.VIR_ERR_AUTH_UNAVAILABLE, libvirt.VIR_ERR_ACCESS_DENIED,
           libvirt.VIR_ERR_OPERATION_DENIED)  # fmt: skip
_NO_DAEMON = (libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_ERR_NO_CONNECT)
# libvirt puts the hook's own words behind its command line (src/util/vircommand.c).
_HOOK_SAID = re.compile(r".*unexpected exit status \d+: (?:vfiod: )?", re.DOTALL)
_AS_ROOT = "run the same command with sudo"
_LIST = "all guests: virsh --connect qemu:///system list --all"
_UNKILLABLE = (
    "its QEMU waits in the kernel and cannot be ended now; vfiod takes the devices back as soon as "
    "it ends\n"
    "if it does not end: sudo systemctl reboot"
)


def opening_failed(error: libvirt.libvirtError) -> VfiodError:
    """No connection to libvirt: its daemon does not run, or does not let this user in."""
    code = error.get_error_code()
    if code == libvirt.VIR_ERR_SYSTEM_ERROR and error.get_int1() in (errno.EACCES, errno.EPERM):
        return NotAuthorized(_says(error), _AS_ROOT)  # by the mode of its socket
    if code in _NO_DAEMON:
        return HostError(_says(error), SEE_DAEMON)
    return refused(error)


def refused(error: libvirt.libvirtError) -> VfiodError:
    """libvirt answers, and does not do it."""
    code, message = error.get_error_code(), _says(error)
    if code == libvirt.VIR_ERR_HOOK_SCRIPT_FAILED and _HOOK_SAID.match(message):
        return HostError(_HOOK_SAID.sub("", message).strip())
    if code in _DENIED:
        return NotAuthorized(message, _AS_ROOT)
    if code == libvirt.VIR_ERR_NO_DOMAIN:
        return UnknownGuest(message, _LIST)
    # Its words may be translated, the signal's name is not (src/util/virprocess.c).
    is_unkillable = code == libvirt.VIR_ERR_SYSTEM_ERROR and "SIGKILL" in message
    return HostError(message, _UNKILLABLE if is_unkillable else "")


def _says(error: libvirt.libvirtError) -> str:
    return f"libvirt says: {error.get_error_message()}"
