"""Ending a guest by libvirt, within a time: a person may sit before a black screen meanwhile."""

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import libvirt

from vfiod.errors import HostError, UnknownGuest, VfiodError
from vfiod.guest.bounded import begin, within
from vfiod.guest.connection import find
from vfiod.guest.refusals import refused

Say = Callable[[str], object]

# A daemon that is well answers in milliseconds; one on a busy machine is started first.
_REACH_SECONDS = 10.0
# libvirt sends SIGKILL after 10 s and gives up after 40 s and 2 s more for each device passed
# through (libvirt: src/util/virprocess.c, virProcessKillPainfullyDelay).
_DESTROY_SECONDS = 60.0
_ASK_SECONDS = 50.0  # another client's job is waited for 30 s (libvirt: qemu_domainjob.c)
_PAUSE = 0.5


def ask_to_shut_down(name: str) -> None:
    """What virsh shutdown does: its agent or ACPI asks it.

    Raises HostError if it does not run, or libvirt does not answer in time.
    """
    within(_ASK_SECONDS, _Asking(name).once)


def destroy(name: str) -> None:
    """Pull the guest's plug; not running is no error.

    Raises HostError if libvirt refuses, TimedOut if it does not answer or gets nothing done.
    """
    within(_REACH_SECONDS, partial(_is_answered, name))
    within(_DESTROY_SECONDS, partial(_destroy, name))


def shut_down(name: str, *, seconds: float, say: Say) -> None:
    """Ask the guest to shut down; pull its plug if it still runs after this time.

    Whatever keeps it from being asked, it has its time, and no more. ``say`` is told what comes
    between. Raises UnknownGuest and NotAuthorized at once, and then what destroy() raises.
    """
    deadline = time.monotonic() + seconds
    asked = begin(partial(_Asking(name, say).until, deadline))
    ended = begin(partial(_wait_for_end, name, deadline))
    wait((asked, ended), timeout=seconds, return_when=FIRST_COMPLETED)
    if asked.done() and not _is_over(ended):
        asked.result()
        wait((ended,), timeout=max(0.0, deadline - time.monotonic()))
    if _is_over(ended):
        return
    if not asked.done():
        say(f"libvirt has not answered: {name} may not have been asked to shut down")
    say(f"{name} has not ended within {seconds:g} s: it is stopped hard")
    destroy(name)


@dataclass(frozen=True, slots=True)
class _Asking:
    """Has a guest asked to shut down, and says once each what keeps it from that."""

    name: str
    say: Say = str
    _said: set[str] = field(default_factory=set)

    def once(self) -> None:
        """Raises HostError, or what keeps a person from it."""
        try:
            find(self.name).shutdown()
        except libvirt.libvirtError as error:
            raise refused(error) from error

    def until(self, deadline: float) -> bool:
        """Try until it is asked: another client's job ends, a daemon is started again.

        Returns whether it was, or is off.
        """
        while time.monotonic() < deadline:
            try:
                self.once()
            except UnknownGuest:
                raise
            except HostError as error:
                if _is_off(self.name):
                    return True
                self._tell(error)
            else:
                return True
            time.sleep(_PAUSE)
        return False

    def _tell(self, error: HostError) -> None:
        text = f"{self.name} was not asked to shut down yet: {error}"
        if text not in self._said:
            self._said.add(text)
            self.say(text)


def _wait_for_end(name: str, deadline: float) -> bool:
    """True once it has ended. One that libvirt does not define is then gone."""
    known = False
    while time.monotonic() < deadline:
        try:
            if not _is_active(name):
                return True
            known = True
        except UnknownGuest:
            if known:
                return True
        except HostError:  # libvirt is away, perhaps for a moment
            pass
        time.sleep(_PAUSE)
    return False


def _is_over(ended: "Future[bool]") -> bool:
    return ended.done() and ended.exception() is None and ended.result()


def _is_off(name: str) -> bool:
    with suppress(HostError, UnknownGuest):
        return not _is_active(name)
    return False


def _is_active(name: str) -> bool:
    """As anybody may ask. Raises HostError, UnknownGuest."""
    try:
        return bool(find(name, read_only=True).isActive())
    except libvirt.libvirtError as error:
        raise refused(error) from error


def _is_answered(name: str) -> bool:
    """Whatever the answer is; what libvirt refuses here it may yet do."""
    with suppress(VfiodError):
        _is_active(name)
    return True


def _destroy(name: str) -> None:
    try:
        find(name).destroy()
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
            raise refused(error) from error
