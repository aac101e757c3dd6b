"""After a return: has a login screen, or somebody's desktop, come of the display manager?

Pure but for the reading of the host, and for end_without_a_card(). That a display manager runs says
nothing: see its step.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace

from vfiod.errors import HostError
from vfiod.events import Event, Kind, Report
from vfiod.handoff.journal import Entry, Record
from vfiod.handoff.steps.desktop import MASTER_SECONDS
from vfiod.handoff.steps.displaymanager import CHECKED, GREETER_SECONDS, StopDisplayManager
from vfiod.host.door import Host

_NOBODY = frozenset[int]()


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look has seen.

    ``fault``: for what the display manager must be started anew; empty if for nothing.
    ``is_settled``: there is nothing more to look for. ``shown_by``: who had a display open.
    """

    fault: str = ""
    is_settled: bool = True
    shown_by: frozenset[int] = _NOBODY


SETTLED = Seen()


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look for one that was given up has seen. ``since``: when its unit was found running.

    ``is_there``: what had a display open, or was of use, is so at two looks.
    """

    shown_by: frozenset[int] = _NOBODY
    is_of_use: bool = False
    since: float | None = None
    is_there: bool = False


def managers(entries: Collection[Entry]) -> list[StopDisplayManager]:
    """Those that ran before."""
    steps = [(e.step, e.prior) for e in entries]
    return [s for s, prior in steps if isinstance(s, StopDisplayManager) and prior["active"]]


def started(record: Record, left: Collection[Entry] = ()) -> StopDisplayManager | None:
    """The display manager that this return has started, if it is to be looked at.

    ``left``: what is known to be stuck, and has its own way back. None too if it was looked at
    already: once for each return is often enough, as somebody may have stopped it.
    """
    stuck = {entry.step for entry in left}
    new = [entry for entry in record.entries if not entry.prior.get(CHECKED)]
    return next((step for step in managers(new) if step not in stuck), None)


def checked(record: Record) -> Record:
    """The same, of which it is known: its display manager is not looked at any more."""
    return replace(record, entries=tuple(map(_checked, record.entries)))


def look(host: Host, step: StopDisplayManager, before: frozenset[int], waited: float) -> Seen:
    """Look once, ``waited`` seconds after the start. Raises HostError.

    ``before``: who has had a display open so far. A process that is there at two looks is a login
    screen; several that take turns fail.
    """
    if host.units.shutting_down():
        return SETTLED
    shown_by = step.shown_by(host)
    if not host.units.unit(step.unit).active and not shown_by:
        return Seen(f"{step.unit} does not run any more")
    if shown_by & before:
        return SETTLED
    if shown_by and not before:  # the first one may be late: the worker was busy, or the host slept
        return Seen(is_settled=False, shown_by=shown_by)
    is_slow = step.draws and not before
    if waited < (GREETER_SECONDS if is_slow else MASTER_SECONDS):
        return Seen(is_settled=False, shown_by=shown_by or before)
    if not step.draws or step.is_of_use(host):
        return SETTLED  # somebody may have only just logged in
    return Seen(f"{step.unit} runs, but nothing of it keeps {step.cards} open")


def awaited(entries: Collection[Entry]) -> tuple[Entry, StopDisplayManager] | None:
    """What a return is stuck for, if that is a login screen that was looked for in vain.

    Beside mere settings, as the power of a card: those are no reason to stay stuck.
    """
    grave = [entry for entry in entries if not entry.step.by_hand(entry.prior)]
    if len(grave) == 1 and grave[0].prior.get(CHECKED):
        return next(((grave[0], step) for step in managers(grave)), None)
    return None


def see(host: Host, step: StopDisplayManager, before: Sight) -> Sight:
    """Look once for one that was given up. Raises HostError."""
    shown_by, is_of_use = step.shown_by(host), step.is_of_use(host)
    runs, since = host.units.unit(step.unit).active, before.since
    since = (host.now() if since is None else since) if runs else None
    is_there = bool(shown_by & before.shown_by) or (is_of_use and before.is_of_use)
    if not step.draws and since is not None:
        is_there = is_there or host.now() - since >= MASTER_SECONDS
    return Sight(shown_by, is_of_use, since, is_there)


def end_without_a_card(host: Host, entries: Collection[Entry], report: Report) -> None:
    """End a display manager that somebody has started meanwhile: it looks for no card any more."""
    for step in managers(entries):
        with suppress(HostError):  # it is looked at again once the card is there
            for note in step.end_if_dark(host):
                report(Event(Kind.REMARK, note))


def _checked(entry: Entry) -> Entry:
    if not isinstance(entry.step, StopDisplayManager):
        return entry
    return replace(entry, prior={**entry.prior, CHECKED: True})
