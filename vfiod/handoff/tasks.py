"""What the worker has to do, one after the other; and what of it nobody wants any more."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from vfiod.errors import Busy, Stuck, VfiodError
from vfiod.events import Event, Kind, Report


@dataclass(eq=False, slots=True)
class Start:
    """A guest's start, which libvirt waits for; or why nobody does any more."""

    guest: str
    given_up: str = ""

    def require_wanted(self) -> None:
        """Raise Busy if nobody waits for it any more."""
        if self.given_up:
            raise Busy(f"{self.guest} was not started: {self.given_up}")


@dataclass(slots=True)
class Tasks:
    """A queue before one worker, which can be closed."""

    worker: ThreadPoolExecutor
    report: Report
    _queued: "dict[Future[None], Start | None]" = field(default_factory=dict)
    _closed: bool = False

    def submit(
        self, task: Callable[..., None], *arguments: object, start: Start | None = None
    ) -> "Future[None]":
        """Queue a task; an internal error in it must be seen, not lost with the future.

        ``start``: the start that it is for. Nothing is queued once the queue is closed.
        """
        if self._closed:
            refused: Future[None] = Future()
            refused.cancel()
            return refused
        future = self.worker.submit(task, *arguments)
        self._queued[future] = start
        future.add_done_callback(self._done)
        return future

    def submit_unwatched(self, task: Callable[..., None], *arguments: object) -> "Future[None]":
        """Queue a task whose end nobody waits for: its error is told."""
        future = self.submit(task, *arguments)
        future.add_done_callback(self._tell_failure)
        return future

    def give_up(self, future: "Future[None]") -> None:
        """The one who asked for a start is gone."""
        why = "libvirt gave its start up meanwhile"
        self._give_up(lambda asked, _: asked is future, why)

    def give_up_starts(self, guest: str, why: str) -> None:
        """No start of a guest that was asked for before is wanted any more."""
        self._give_up(lambda _, start: start.guest == guest, why)

    def close(self) -> "Future[None]":
        """Nothing that is queued is begun any more; done when what is under way has ended."""
        self._closed = True
        for future in list(self._queued):
            future.cancel()
        return self.worker.submit(lambda: None)

    def _give_up(self, is_meant: "Callable[[Future[None], Start], bool]", why: str) -> None:
        for future, start in list(self._queued.items()):
            if start is not None and is_meant(future, start):
                start.given_up = why
                future.cancel()

    def _done(self, future: "Future[None]") -> None:
        self._queued.pop(future, None)
        error = None if future.cancelled() else future.exception()
        if error is not None and not isinstance(error, VfiodError):
            self._tell(f"internal error, please report it: {error!r}")

    def _tell_failure(self, future: "Future[None]") -> None:
        """What is stuck has been told of where it got stuck."""
        error = None if future.cancelled() else future.exception()
        if isinstance(error, VfiodError) and not isinstance(error, Stuck):
            self._tell(f"could not go on: {error}")

    def _tell(self, text: str) -> None:
        with suppress(Exception):
            self.report(Event(Kind.STEP_FAILED, text))
