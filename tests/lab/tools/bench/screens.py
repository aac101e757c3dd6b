"""Times that a person feels, by the pixels of the lab's screen, told from outside of it."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from tests.lab.emulator.machine import Lab
from tests.lab.emulator.pixels import Screen

PAUSE = 0.05


class Screens:
    """Looks at the screen as often as it can while something goes on; a context manager.

    Nobody else may ask for pictures meanwhile: QEMU answers one at a time.
    """

    def __init__(self, lab: Lab) -> None:
        self.seen: list[tuple[float, Screen]] = []
        self._lab = lab
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="screens")

    def __enter__(self) -> Screens:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def wait_for(self, screen: Screen, timeout: float) -> None:
        """Wait until that is what was seen last."""
        self._lab.wait_until(
            f"{screen.value} on the screen",
            lambda: bool(self.seen) and self.seen[-1][1] is screen,
            timeout,
        )

    def dark(self, before: Screen, after: Screen) -> float:
        """Seconds from the last picture of ``before`` to the first of ``after`` that follows."""
        last = max(at for at, screen in self.seen if screen is before)
        return min(at for at, screen in self.seen if screen is after and at > last) - last

    def _look(self) -> None:
        while not self._over.is_set():
            self.seen.append((time.monotonic(), self._lab.screen()))
            self._over.wait(PAUSE)
