"""A screen at rest: a desktop that has been drawn, whatever it looks like."""

from __future__ import annotations

import time
from collections.abc import Callable

from PIL import Image

from . import pixels

SECONDS = 8.0  # a desktop that is drawn by an emulated processor pauses for some of them
_SAME = 0.995


class Rest:
    """A condition to wait for: something is drawn, and it has not changed for a while.

    Where black is the background of a desktop, ``drawn`` says more than the picture does.
    """

    def __init__(self, screenshot: Callable[[], Image.Image], *, drawn: bool = False) -> None:
        self._screenshot, self._drawn = screenshot, drawn
        self._last: Image.Image | None = None
        self._since = 0.0

    def __call__(self) -> Image.Image | None:
        """The picture, if it is at rest."""
        picture, now = self._screenshot(), time.monotonic()
        if self._last is None or pixels.likeness(self._last, picture) < _SAME:
            self._last, self._since = picture, now
        shown = (pixels.Screen.OTHER, pixels.Screen.GREETER)
        drawn = self._drawn or pixels.classify(picture) in shown
        return picture if drawn and now - self._since >= SECONDS else None
