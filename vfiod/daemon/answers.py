"""Answering calls of the bus: now, or when the work is done, from any thread."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from vfiod.bus.calls import answer, refuse
from vfiod.errors import Busy, VfiodError

_NOT_BEGUN = Busy("nothing was done: the daemon is being stopped, or nobody waits for it any more")


def refuse_with(invocation: Any, error: BaseException) -> None:
    """Answer with an error, one of vfiod's by its own name."""
    if isinstance(error, VfiodError):
        refuse(invocation, error.dbus_name, str(error))
    else:
        refuse(invocation, VfiodError.dbus_name, f"internal error: {error!r}")


@contextmanager
def answered(invocation: Any) -> Iterator[None]:
    """Whatever is raised within is the answer; only what should never happen is raised again."""
    try:
        yield
    except VfiodError as error:
        refuse_with(invocation, error)
    except Exception as error:
        refuse_with(invocation, error)
        raise


def when_done(
    invocation: Any,
    future: "Future[Any]",
    then: Callable[[Any], object] | None = None,
    not_begun: Callable[[], VfiodError] = lambda: _NOT_BEGUN,
) -> None:
    """Answer once it is done: with nothing, or by ``then``, which gets the result.

    ``not_begun`` says why, if it has not been begun and will not be.
    """

    def done(ended: "Future[Any]") -> None:
        if ended.cancelled():
            refuse_with(invocation, not_begun())
        elif (error := ended.exception()) is not None:
            refuse_with(invocation, error)
        elif then is None:
            answer(invocation)
        else:
            with answered(invocation):
                then(ended.result())

    future.add_done_callback(done)
