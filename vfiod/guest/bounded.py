"""Calls of libvirt's that are not waited for without an end.

libvirt's library waits for its daemon, and that for QEMU's monitor, for as long as it takes
(libvirt: virNetClientSendWithReply in src/rpc/virnetclient.c, qemuMonitorSend in
src/qemu/qemu_monitor.c). Nothing ends a thread that waits there, so such a thread is no reason for
the program to stay. No object of libvirt's leaves it: the end of a connection waits as well.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from vfiod.errors import HostError, TimedOut

# Which of them a host has is not asked: systemctl says of the other that there is none.
SEE_DAEMON = "see that libvirt runs: systemctl status libvirtd virtqemud"
T = TypeVar("T")


def begin(task: Callable[[], T]) -> "Future[T]":
    """Do it in a thread that the program's end does not wait for."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            result = task()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)

    try:
        threading.Thread(target=work, name="libvirt", daemon=True).start()
    except RuntimeError as error:
        future.set_exception(HostError(f"libvirt cannot be asked: {error}"))
    return future


def within(seconds: float, task: Callable[[], T]) -> T:
    """What it returns or raises. Raises TimedOut if it has not ended within the time."""
    try:
        return begin(task).result(seconds)
    except TimeoutError:
        raise TimedOut(f"libvirt gave no answer within {seconds:g} s", SEE_DAEMON) from None
