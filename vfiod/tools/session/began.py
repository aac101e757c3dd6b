"""Whether a person chose this session, or it began by itself: that would start a guest for ever."""

from contextlib import suppress
from dataclasses import dataclass

from vfiod.bus.connection import Bus
from vfiod.errors import HostError, Refused, VfiodError
from vfiod.host.facts.units import read_units

_LOGIND = "org.freedesktop.login1"
# The caller's own (org.freedesktop.login1(5)).
_SELF = "/org/freedesktop/login1/session/self"
_SESSION = f"{_LOGIND}.Session"
_ON_A_TERMINAL = ("getty", "ly", "kmsconvt")
_MICROSECONDS = 1_000_000
# Nobody sees a login screen, chooses in it and types a password in less.
_SOONEST = 5.0


@dataclass(frozen=True, slots=True)
class Began:
    """``service``: PAM's, by which the session was opened, e.g. "gdm-password" or "sddm-autologin".

    ``after``: seconds from the start of what shows the login screen to that of the session; None
    if that is not known.
    """

    service: str = ""
    after: float | None = None

    @property
    def by_itself(self) -> bool:
        """True if nobody can have chosen it."""
        soon = self.after is not None and 0 <= self.after < _SOONEST
        return self.service.endswith("autologin") or soon


def require_person(began: Began, guest: str) -> None:
    """Raises Refused if nobody chose this: the login screen would begin it after every return."""
    if not began.by_itself:
        return
    how = f"by {began.service}" if began.service.endswith("autologin") else "with the login screen"
    text = (
        f"nobody chose {guest}: this session began by itself, {how}, and would do so again after "
        "each return to the host"
    )
    hint = "let the automatic login begin a desktop, or switch it off; then choose the guest there"
    raise Refused([VfiodError(text, hint)], heading=f"{guest} was not started")


def read(bus: Bus) -> Began:
    """How the session of this process began; nothing is known of one that is logind's not."""
    with suppress(HostError):
        service = str(bus.get(_LOGIND, _SELF, f"{_SESSION}.Service"))
        begun = bus.get(_LOGIND, _SELF, f"{_SESSION}.Timestamp") / _MICROSECONDS
        terminal = int(bus.get(_LOGIND, _SELF, f"{_SESSION}.VTNr"))
        return Began(service, _after(bus, begun, terminal))
    return Began()


def _after(bus: Bus, begun: float, terminal: int) -> float | None:
    own = [f"{name}@tty{terminal}.service" for name in _ON_A_TERMINAL]
    names = ["display-manager.service", *own]
    units = read_units(bus, names).values()
    waits = [begun - unit.changed for unit in units if unit.running and unit.changed <= begun]
    return min(waits, default=None)


def is_active(bus: Bus) -> bool:
    """True if the session of this process has the screen, or is none of logind's."""
    try:
        return bool(bus.get(_LOGIND, _SELF, f"{_SESSION}.Active"))
    except HostError:
        return True
