"""The door to libvirt, for the command line only.

The daemon never calls libvirt: while a hook waits for it, libvirt waits too, and both would
wait for ever (libvirt: docs/hooks.rst).
"""

from dataclasses import dataclass
from functools import partial

import libvirt
import libvirt_qemu

from vfiod.errors import HostError
from vfiod.guest.bounded import within
from vfiod.guest.refusals import opening_failed, refused

URI = "qemu:///system"
_PING = '{"execute": "guest-ping"}'
_PING_SECONDS = 5
_AGENT_SECONDS = 40.0  # others with it are waited for 30 s (libvirt: qemu_domainjob.c)

# As virsh says them (tools/virsh-domain-monitor.c).
_STATES = {
    libvirt.VIR_DOMAIN_RUNNING: "running", libvirt.VIR_DOMAIN_BLOCKED: "idle",
    libvirt.VIR_DOMAIN_PAUSED: "paused", libvirt.VIR_DOMAIN_SHUTDOWN: "in shutdown",
    libvirt.VIR_DOMAIN_SHUTOFF: "shut off", libvirt.VIR_DOMAIN_CRASHED: "crashed",
    libvirt.VIR_DOMAIN_PMSUSPENDED: "pmsuspended",
}  # fmt: skip


def domain_xml(name: str) -> str:
    """The definition a start would use, without secrets; any user may read it."""
    try:
        guest = _open(read_only=True).lookupByName(name)
        text: str = guest.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    except libvirt.libvirtError as error:
        raise refused(error) from error
    return text


@dataclass(frozen=True, slots=True)
class Found:
    """A guest as libvirt has it: ``state`` in virsh's words, ``xml`` as domain_xml() gives it.

    ``saved``: a start would take another definition, that of its saved state (virsh managedsave).
    """

    state: str
    xml: str
    saved: bool = False


def look(name: str, uri: str = URI) -> Found | None:
    """What libvirt knows of a guest; None if it has none of that name. Any user may."""
    try:
        guest = _open(uri, read_only=True).lookupByName(name)
        state = _STATES.get(guest.state()[0], "no state")
        xml = guest.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        return Found(state, xml, saved=bool(guest.hasManagedSaveImage()))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return None
        raise refused(error) from error


def find(name: str, *, read_only: bool = False) -> libvirt.virDomain:
    """A guest, on a connection of its own. Raises HostError, UnknownGuest, NotAuthorized."""
    try:
        return _open(URI, read_only=read_only).lookupByName(name)
    except libvirt.libvirtError as error:
        raise refused(error) from error


def start(name: str) -> None:
    """What virsh start does. Raises HostError with libvirt's reason."""
    try:
        _open().lookupByName(name).create()
    except libvirt.libvirtError as error:
        raise refused(error) from error


def answers(name: str) -> bool:
    """True if the guest's agent answers (qemu-ga(8)): its system is up."""
    try:
        return within(_AGENT_SECONDS, partial(_ping, name))
    except HostError:
        return False


def _ping(name: str) -> bool:
    try:
        guest = libvirt.open(URI).lookupByName(name)
        libvirt_qemu.qemuAgentCommand(guest, _PING, _PING_SECONDS, 0)
    except libvirt.libvirtError:
        return False
    return True


class Guests:
    """Definitions of guests, to be changed (vfiod.guest.change.Definitions).

    Methods raise HostError if libvirt refuses, NotAuthorized if it wants somebody else.
    """

    def __init__(self, uri: str = URI, *, read_only: bool = False) -> None:
        """Connect, as who may change guests unless ``read_only``: that is open to any user."""
        self._secrets = 0 if read_only else libvirt.VIR_DOMAIN_XML_SECURE
        self._connection = _open(uri, read_only=read_only)

    def names(self) -> list[str]:
        """All guests, running or not."""
        try:
            return sorted(guest.name() for guest in self._connection.listAllDomains())
        except libvirt.libvirtError as error:
            raise refused(error) from error

    def definition(self, guest: str) -> str:
        """What a start would use. With secrets, unless read only: a define would drop them."""
        flags = libvirt.VIR_DOMAIN_XML_INACTIVE | self._secrets
        try:
            text: str = self._connection.lookupByName(guest).XMLDesc(flags)
        except libvirt.libvirtError as error:
            raise refused(error) from error
        return text

    def define(self, xml: str) -> None:
        """Define or replace; what libvirt's schema does not know is refused, not dropped."""
        try:
            self._connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
        except libvirt.libvirtError as error:
            raise refused(error) from error

    def versions(self) -> tuple[int, int]:
        """Of libvirt and of QEMU, as libvirt counts them: 9.0.0 is 9000000."""
        try:
            return self._connection.getLibVersion(), self._connection.getVersion()
        except libvirt.libvirtError as error:
            raise refused(error) from error

    def capabilities(self, emulator: str | None, arch: str, machine: str, kind: str) -> str | None:
        """What guests of this kind can be given here, as XML; None if libvirt does not tell."""
        try:
            xml: str = self._connection.getDomainCapabilities(emulator, arch, machine, kind, 0)
        except libvirt.libvirtError:
            return None
        return xml

    def is_running(self, guest: str) -> bool:
        """True if it runs, or is paused: a change of its definition waits for its next start."""
        try:
            return bool(self._connection.lookupByName(guest).isActive())
        except libvirt.libvirtError as error:
            raise refused(error) from error

    def is_saved(self, guest: str) -> bool:
        """True if a start would go on from a saved state, with the definition of that time."""
        try:
            return bool(self._connection.lookupByName(guest).hasManagedSaveImage())
        except libvirt.libvirtError as error:
            raise refused(error) from error

    def networks(self) -> list[str]:
        """All networks of libvirt's, up or not."""
        try:
            return sorted(network.name() for network in self._connection.listAllNetworks())
        except libvirt.libvirtError as error:
            raise refused(error) from error

    def network_is_up(self, name: str) -> bool | None:
        """Whether a network of libvirt's is up; None if there is none of that name."""
        try:
            return bool(self._connection.networkLookupByName(name).isActive())
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_NETWORK:
                return None
            raise refused(error) from error


def _open(uri: str = URI, *, read_only: bool = False) -> libvirt.virConnect:
    """Connect, as who may change guests unless ``read_only``: that is open to any user."""
    try:
        return libvirt.openReadOnly(uri) if read_only else libvirt.open(uri)
    except libvirt.libvirtError as error:
        raise opening_failed(error) from error


# libvirt prints every error to stderr by itself unless told not to.
libvirt.registerErrorHandler(lambda _context, _error: None, None)
