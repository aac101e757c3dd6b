"""Work beside the main loop and beside the handoff's worker, for which nobody may have to wait."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from vfiod.daemon.loop import in_loop

T = TypeVar("T")


def begin(task: Callable[[], T]) -> "Future[T]":
    """Do it in a thread that is no reason for the process to stay; done in the main loop."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            result = task()
        except BaseException as error:
            in_loop(lambda failed=error: future.set_exception(failed))  # type: ignore[misc]
        else:
            in_loop(lambda: future.set_result(result))

    threading.Thread(target=work, name="command", daemon=True).start()
    return future
