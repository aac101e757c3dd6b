"""Work beside the main loop and beside the handoff's worker, for which nobody may have to wait."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from vfiod.daemon.loop import in_loop
from vfiod.errors import Busy, HostError

T = TypeVar("T")


def begin(task: Callable[[], T]) -> "Future[T]":
    """Do it in a thread that is no reason for the process to stay; done in the main loop.

    Without a thread it is done at once, and has failed.
    """
    future: Future[T] = Future()

    def work() -> None:
        try:
            result = task()
        except BaseException as error:
            in_loop(lambda failed=error: future.set_exception(failed))  # type: ignore[misc]
        else:
            in_loop(lambda: future.set_result(result))

    try:
        threading.Thread(target=work, name="command", daemon=True).start()
    except RuntimeError as error:
        text = f"the vfiod service could not begin the work: {error}"
        future.set_exception(HostError(text, "see its limit of tasks: systemctl status vfiod"))
    return future


class OneEach:
    """Work for users, each of whom may have one piece of it under way. For the main loop.

    ``what`` completes "you have ... already".
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._users: set[int] = set()

    def begin(self, uid: int, task: Callable[[], T]) -> "Future[T]":
        """As begin(). Raises Busy if this user's last piece is not done."""
        if uid in self._users:
            raise Busy(f"you have {self._what} already", "wait a moment")
        future = begin(task)
        self._users.add(uid)
        future.add_done_callback(lambda _: self._users.discard(uid))
        return future
