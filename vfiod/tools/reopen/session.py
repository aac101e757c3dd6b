"""Opening again what was open: what is missing, once, and where it was."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from vfiod.errors import HostError
from vfiod.tools.reopen.compositor import find_compositor
from vfiod.tools.reopen.entry import Entry
from vfiod.tools.reopen.launch import launch
from vfiod.tools.reopen.look import see
from vfiod.tools.reopen.named import is_same
from vfiod.tools.reopen.opened import Application, Seen, find
from vfiod.tools.reopen.record import Place, Record

# A desktop that restores a session, or starts things at the login, is left to it first.
_QUIET_SECONDS, _LONGEST_SECONDS, _PAUSE = 5.0, 60.0, 1.0
_WINDOW_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Missing:
    """What was open and is not; ``entries`` are those of them that are still installed."""

    applications: tuple[Application, ...]
    entries: Mapping[str, Entry]

    @property
    def names(self) -> list[str]:
        """What menus call them."""
        return [self.entries[a.ident].name for a in self.applications]


def missing(record: Record, seen: Seen) -> Missing:
    """What of the record is not open now, and can be opened."""
    there = [seen.entries[application.ident] for application in find(seen)]
    may_be = {
        ident: entry
        for ident, entry in seen.entries.items()
        if not entry.starts_guest and not any(is_same(entry, other) for other in there)
    }
    wanted = tuple(a for a in record.applications if a.ident in may_be)
    return Missing(wanted, {a.ident: may_be[a.ident] for a in wanted})


def keep_missing(place: Place, seen: Seen) -> None:
    """The session has not ended: of what was written down only what is not open any more waits.

    A program with nothing to save may have closed when it was asked. Raises HostError.
    """
    record = place.read()
    left = missing(record, seen).applications if record else ()
    if record and left:
        place.write(Record(record.how, left))
    else:
        place.take()


def wait_until_quiet(
    environment: Mapping[str, str],
    *,
    look: Callable[[Mapping[str, str]], Seen] = see,
    now: Callable[[], float] = time.monotonic,
    pause: Callable[[float], object] = time.sleep,
) -> Seen:
    """Wait until no application has come or gone for a while; the last look."""
    began = changed = now()
    seen = look(environment)
    while now() - changed < _QUIET_SECONDS and now() - began < _LONGEST_SECONDS:
        pause(_PAUSE)
        before, seen = find(seen), look(environment)
        if {a.ident for a in before} != {a.ident for a in find(seen)}:
            changed = now()
    return seen


def open_again(wanted: Missing, environment: Mapping[str, str]) -> list[HostError]:
    """Open them; what went wrong, which is no reason to leave out the others."""
    compositor = find_compositor(environment)
    before = {number for number, _ in compositor.windows()}
    faults: list[HostError] = []
    for application in wanted.applications:
        try:
            launch(wanted.entries[application.ident], environment)
        except HostError as error:
            faults.append(error)
    _place(wanted, environment, before)
    return faults


def _place(wanted: Missing, environment: Mapping[str, str], before: set[int]) -> None:
    """Put each new window where the application had its own, as windows come."""
    left = {a.ident: a.workspace for a in wanted.applications if a.workspace}
    compositor = find_compositor(environment)
    deadline = time.monotonic() + _WINDOW_SECONDS
    while left and time.monotonic() < deadline:
        for number, window in compositor.windows():
            ident = _whose(window.app, left, wanted.entries)
            if number not in before and ident:
                if window.workspace != left[ident]:
                    compositor.move(number, left[ident])
                del left[ident]
        with suppress(InterruptedError):
            time.sleep(_PAUSE)


def _whose(app: str, idents: Mapping[str, str], entries: Mapping[str, Entry]) -> str:
    names: Sequence[str] = [
        ident
        for ident in idents
        if app and app.lower() in (ident.lower(), entries[ident].window_class.lower())
    ]
    return names[0] if names else ""
