"""Ending a guest by libvirt, within a time: a person may sit before a black screen meanwhile."""

import time
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from functools import partial
from shlex import quote
from typing import Any

import libvirt

from vfiod.errors import HostError, UnknownGuest, VfiodError
from vfiod.guest.asking import PAUSE, Asking, Say
from vfiod.guest.bounded import begin, within
from vfiod.guest.connection import find
from vfiod.guest.refusals import refused
from vfiod.guest.standing import Standing

# A daemon that is well answers in milliseconds; one on a busy machine is started first.
_REACH_SECONDS = 10.0
# libvirt sends SIGKILL after 10 s and gives up after 40 s and 2 s more for each device passed
# through (libvirt: src/util/virprocess.c, virProcessKillPainfullyDelay).
_DESTROY_SECONDS = 60.0
_ASK_SECONDS = 50.0  # another client's job is waited for 30 s (libvirt: qemu_domainjob.c)
_LOST = "has crashed and cannot shut down"


def ask_to_shut_down(name: str) -> None:
    """What virsh shutdown does: its agent or ACPI asks it. One that is paused or asleep goes on.

    Raises HostError if it does not run or has crashed, TimedOut if libvirt does not answer.
    """
    found = within(_ASK_SECONDS, Asking(name).ask)
    if found is Standing.LOST:
        force = f"sudo vfiod shutdown --force {quote(name)}"
        raise HostError(f"{name} {_LOST}", f"force it off: {force}")
    if found is Standing.OFF:
        raise HostError(f"{name} does not run")


def destroy(name: str) -> None:
    """Pull the guest's plug; not running is no error.

    Raises HostError if libvirt refuses, TimedOut if it does not answer or gets nothing done.
    """
    within(_REACH_SECONDS, partial(_is_answered, name))
    within(_DESTROY_SECONDS, partial(_destroy, name))


def shut_down(name: str, *, seconds: float, say: Say) -> None:
    """Ask the guest to shut down; pull its plug if it still runs after this time.

    Whatever keeps it from being asked, it has its time, and no more; only one that has crashed
    has none. ``say`` is told what comes between. Raises UnknownGuest and NotAuthorized at once, and
    then what destroy() raises.
    """
    deadline = time.monotonic() + seconds
    asked = begin(partial(Asking(name, say).until, deadline))
    ended = begin(partial(_wait_for_end, name, deadline))
    both: tuple[Future[Any], ...] = asked, ended
    wait(both, timeout=seconds, return_when=FIRST_COMPLETED)
    if asked.done() and not _is_over(ended) and asked.result() is not Standing.LOST:
        wait((ended,), timeout=max(0.0, deadline - time.monotonic()))
    if not _is_over(ended):
        say(_why_hard(name, asked, seconds))
        destroy(name)


def _why_hard(name: str, asked: "Future[Standing | None]", seconds: float) -> str:
    if not asked.done():
        return (
            f"libvirt has not answered within {seconds:g} s, and {name} may not have been asked to "
            "shut down: it is stopped hard"
        )
    if asked.result() is Standing.LOST:
        return f"{name} {_LOST}: it is stopped hard at once"
    return f"{name} has not ended within {seconds:g} s: it is stopped hard"


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
        time.sleep(PAUSE)
    return False


def _is_over(ended: "Future[bool]") -> bool:
    return ended.done() and ended.exception() is None and ended.result()


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
