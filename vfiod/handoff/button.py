"""The power button: what is one press and what are two."""

from dataclasses import dataclass

# Firmware may report a press twice (LNXPWRBN and PNP0C0C), and a worn contact bounces. A second
# press pulls the guest's plug, so it must be somebody's.
SECONDS = 2.0


@dataclass(slots=True)
class Button:
    """Remembers when it was last pressed, in seconds since boot."""

    _last: float | None = None

    def is_pressed(self, now: float) -> bool:
        """False for a report that belongs to the press before."""
        is_new = self._last is None or now - self._last >= SECONDS
        if is_new:
            self._last = now
        return is_new
