"""What the worker has to do, one after the other; and what of it nobody wants any more."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from vfiod.errors import Busy, Stuck, VfiodError
from vfiod.events import Event, Kind, Report
from vfiod.handoff.recovery.recover import is_shutting_down
from vfiod.host.door import Host

STARTED, REHEARSED = "started", "rehearsed"


@dataclass(eq=False, slots=True)
class Start:
    """A guest's start, which libvirt waits for, or its rehearsal; or why that is given up.

    ``hint``: what a person does now.
    """

    guest: str
    what: str = STARTED
    given_up: str = ""
    hint: str = ""

    def give_up(self, why: str, hint: str = "") -> None:
        """It is not gone on with; the first reason is the one that is told."""
        if not self.given_up:
            self.given_up, self.hint = why, hint

    def stop(self) -> None:
        """Give it up because the service is being stopped."""
        back = "the host has its devices and its display; "
        again = f"have {self.guest} {self.what} again once the service runs"
        self.give_up("the vfiod service is being stopped", f"{back}{again}: systemctl status vfiod")

    @property
    def refusal(self) -> Busy:
        """Why it is given up, for a person."""
        return Busy(f"{self.guest} was not {self.what}: {self.given_up}", self.hint)

    def require_wanted(self) -> None:
        """Raise Busy if it is given up."""
        if self.given_up:
            raise self.refusal


def notice_shutdown(start: Start, host: Host) -> None:
    """Give a start up if the host shuts down: its guest would never have the screen."""
    if not start.given_up and is_shutting_down(host):
        again = f"have {start.guest} {start.what} again once the host is up"
        start.give_up("the host is shutting down", f"the host has its devices; {again}")


def require_wanted(start: Start, host: Host) -> None:
    """Raise Busy if a start is given up, or the host shuts down."""
    notice_shutdown(start, host)
    start.require_wanted()


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
            if start is not None:
                start.stop()
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
        self._give_up(lambda _, start: (start.guest, start.what) == (guest, STARTED), why)

    def close(self) -> "Future[None]":
        """Nothing that is queued is begun any more; done when what is under way has ended.

        A start that is under way is given up, and a return goes on to its end.
        """
        self._closed = True
        for future, start in list(self._queued.items()):
            if start is not None:
                start.stop()
            future.cancel()
        return self.worker.submit(lambda: None)

    def _give_up(self, is_meant: "Callable[[Future[None], Start], bool]", why: str) -> None:
        for future, start in list(self._queued.items()):
            if start is not None and is_meant(future, start):
                start.give_up(why)
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
