"""Time that passes only when somebody waits, and the things that happen meanwhile."""

import heapq
import itertools
from collections.abc import Callable


class Clock:
    """Seconds since boot; wait() and advance() let scheduled things happen."""

    def __init__(self) -> None:
        self.time = 1000.0
        self._number = itertools.count()
        self._due: list[tuple[float, int, Callable[[], object]]] = []

    def after(self, seconds: float, then: Callable[[], object]) -> None:
        """Have ``then`` called once the time has come."""
        heapq.heappush(self._due, (self.time + seconds, next(self._number), then))

    def wait(self, condition: Callable[[], bool], *, seconds: float) -> bool:
        """Let time pass until the condition holds; False if it did not within the time."""
        deadline = self.time + seconds
        while not condition():
            if not self._due or self._due[0][0] > deadline:
                self.time = deadline
                return condition()
            self._next()
        return True

    def advance(self, seconds: float) -> None:
        """Let this much time pass."""
        self.wait(lambda: False, seconds=seconds)

    def _next(self) -> None:
        time, _, then = heapq.heappop(self._due)
        self.time = max(self.time, time)
        then()
