"""systemd's jobs: a change of a unit is queued as one, and its result is heard of."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from vfiod.bus.connection import Bus

SERVICE = "org.freedesktop.systemd1"
PATH = "/org/freedesktop/systemd1"
MANAGER = f"{SERVICE}.Manager"


class Jobs:
    """Results of jobs as JobRemoved tells them; by job path, as the unit may be an alias.

    Several threads may wait, each for its own job.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._results: dict[str, str] = {}
        self._changed = threading.Condition()
        self._hearers = 0
        self._subscribing = threading.Lock()
        self._subscribed = False

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Keep every result from before the job is queued, whose path is not known yet."""
        self._subscribe()
        with self._changed:
            self._hearers += 1
        try:
            yield
        finally:
            with self._changed:
                self._hearers -= 1
                if not self._hearers:
                    self._results.clear()

    def _subscribe(self) -> None:
        with self._subscribing:
            if not self._subscribed:
                self._bus.subscribe(SERVICE, f"{MANAGER}.JobRemoved", self._removed)
                self._bus.call(SERVICE, PATH, f"{MANAGER}.Subscribe")
                self._subscribed = True

    def wait(self, job: str, seconds: float) -> str | None:
        """The job's result, or None at the deadline."""
        with self._changed:
            self._changed.wait_for(lambda: job in self._results, timeout=seconds)
            return self._results.pop(job, None)

    def _removed(self, values: Sequence[Any]) -> None:
        _, job, _, result = values
        with self._changed:
            if self._hearers:
                self._results[job] = result
                self._changed.notify_all()
