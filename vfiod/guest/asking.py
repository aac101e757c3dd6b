"""Asking a guest to shut down, by libvirt: one that is paused or asleep goes on first.

libvirt asks only one that runs (libvirt: qemuDomainShutdownFlags in src/qemu/qemu_driver.c). To
pull the plug of another would lose what it has not saved, of which it was not asked.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from shlex import quote

import libvirt

from vfiod.errors import HostError, UnknownGuest
from vfiod.guest.connection import find
from vfiod.guest.refusals import refused
from vfiod.guest.standing import Standing, is_lost, standing
from vfiod.util.typed import virsh

Say = Callable[[str], object]
PAUSE = 0.5
_GOES_ON_SECONDS = 20.0
_SETS_OUT = {
    Standing.PAUSED: "was paused: it goes on now, to shut down",
    Standing.ASLEEP: "was asleep: it is woken up, to shut down",
}


@dataclass(frozen=True, slots=True)
class Asking:
    """Has a guest asked to shut down; ``say`` is told once each what comes between."""

    name: str
    say: Say = str
    _said: set[str] = field(default_factory=set)

    def ask(self) -> Standing | None:
        """None once it is asked, else LOST or OFF. Raises HostError if it cannot be asked now."""
        deadline = time.monotonic() + _GOES_ON_SECONDS
        while (found := self._once()) in _SETS_OUT:
            if time.monotonic() > deadline:
                raise self._stands_still()
            time.sleep(PAUSE)
        return found

    def until(self, deadline: float) -> Standing | None:
        """The same, tried again: another client's job ends, a daemon is started again.

        Raises UnknownGuest and NotAuthorized. None is also the answer at the deadline.
        """
        while time.monotonic() < deadline:
            try:
                if (found := self._once()) not in _SETS_OUT:
                    return found
            except UnknownGuest:
                raise
            except HostError as error:
                self._tell(f"{self.name} was not asked to shut down yet: {error}")
            time.sleep(PAUSE)
        return None

    def _once(self) -> Standing | None:
        """Ask it, or set it going; what it is then, None if it was asked."""
        try:
            guest = find(self.name)
            guest.shutdown()
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
                raise refused(error) from error
            return self._set_going(guest, error)
        return None

    def _set_going(self, guest: libvirt.virDomain, why: libvirt.libvirtError) -> Standing:
        """``why``: what libvirt said when it was asked."""
        reason = libvirt.VIR_DOMAIN_PAUSED_USER
        try:
            state, reason = guest.state()
            found = standing(state, reason)
            if found is Standing.PAUSED:
                guest.resume()
            elif found is Standing.ASLEEP:
                guest.pMWakeup(0)
        except libvirt.libvirtError as error:
            if is_lost(reason, error.get_error_code()):
                return Standing.LOST
            raise refused(error) from error
        if found is Standing.BUSY:
            raise refused(why) from why
        if found in _SETS_OUT:
            self._tell(f"{self.name} {_SETS_OUT[found]}")
        return found

    def _stands_still(self) -> HostError:
        """Of one that is paused again and again, as where the host's disk is full."""
        return HostError(
            f"{self.name} was set going, and stands still again: it cannot be asked to shut down",
            f"why: sudo {virsh('domstate --reason', self.name)}\n"
            f"or force it off: sudo vfiod shutdown --force {quote(self.name)}",
        )

    def _tell(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self.say(text)
