"""What need not end: a user's manager that stays, and what runs in it without a device. Pure.

It stays for a user who lingers or has another session. What of it holds a device lets go alone,
which takes a closed gate: what a socket starts again at once then comes back without the device.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vfiod.config.schema import Reopen
from vfiod.handoff.accounts import is_manager, manager_of, owner_of
from vfiod.handoff.decision import ending
from vfiod.handoff.decision.containers import container_of
from vfiod.handoff.decision.request import Request
from vfiod.handoff.nodes import is_card, is_sound
from vfiod.handoff.steps.people import (
    GRAPHICAL,
    RememberApplications,
    StopInManager,
    StopUserUnits,
)
from vfiod.model import Holder
from vfiod.util import unitnames

# systemd.unit(5). They are the user's to choose, and are given to the user's own systemctl.
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,250}\.(?:service|scope)")
_MANAGER_ITSELF = "init.scope"
# Where services are that are not the desktop's own (systemd.special(7), user slices).
_BESIDE_THE_DESKTOP = frozenset({"app.slice", "background.slice"})
_OF_THE_DESKTOP = "session.slice"
# What the bus has started without a service of systemd's: such a unit is gone once it is stopped.
_TRANSIENT = "dbus-:"
_FIRST_PERSON = 1000  # login.defs(5), UID_MIN: nothing is done for accounts of the system


@dataclass(frozen=True, slots=True)
class LettingGo:
    """Units of a manager that hold a device: those to stop, those to start anew without it, and
    services to stop for as long as it is away.
    """

    stopped: tuple[str, ...] = ()
    anew: tuple[str, ...] = ()
    lent: tuple[str, ...] = ()


def letting_go(request: Request, uid: int) -> LettingGo | None:
    """How a manager that stays lets go; None if it has to be stopped as a whole.

    A unit with the card itself open is a desktop, and an application has lost its own. A service
    that draws, computes or looks at the screen on it is of no use without; a sound server does
    without.
    """
    if not (request.state.can_close_gate and ending.outlives(request, uid)):
        return None
    named = [(unit_in_manager(holder), holder) for holder in _holders(request, uid)]
    if any(name is None for name, _ in named):
        return None
    stopped = {name for name, holder in named if name and _ends(name, holder, request)}
    lent = {name for name, holder in named if name and not is_sound(holder)} - stopped
    anew = {name for name, _ in named if name} - stopped - lent
    return LettingGo(*(tuple(sorted(names)) for names in (stopped, anew, lent)))


def _ends(name: str, holder: Holder, request: Request) -> bool:
    if name.startswith(("app-", _TRANSIENT)) or name.endswith(".scope"):
        return True
    if is_card(holder) and not (_is_beside_the_desktop(holder) and _has_desktop(request)):
        return True
    return _is_of_a_desktop(name, holder, request) and _loses_desktop(request, owner_of(holder))


def _is_of_a_desktop(name: str, holder: Holder, request: Request) -> bool:
    """Whether it is a part of the desktop or an application: nobody has a screen to begin it for.

    A sound server is where these are and is none, though it looks at cameras with the card.
    """
    slices = {part for part in holder.group.split("/") if part.endswith(".slice")}
    # Where systemd puts the instances of a user's own template (systemd.slice(5)).
    slices.discard(f"app-{unitnames.escape(name.partition('@')[0])}.slice")
    if not any(part == _OF_THE_DESKTOP or part.startswith("app-") for part in slices):
        return False
    mine = _holders(request, owner_of(holder))
    return not any(is_sound(other) and unit_in_manager(other) == name for other in mine)


def _is_beside_the_desktop(holder: Holder) -> bool:
    """As a remote desktop's server, which reads what the screen shows from the card."""
    return not _BESIDE_THE_DESKTOP.isdisjoint(holder.group.split("/"))


def _has_desktop(request: Request) -> bool:
    """Whether a desktop or login screen is known: else a compositor that is a service may be it.

    Nobody has logged in to that on the way back, and nobody may begin it for them.
    """
    return any(
        is_card(h) and ending.may_show_a_desktop(h, request) and not _is_beside_the_desktop(h)
        for h in request.state.holders
    )


def lending(request: Request) -> Iterator[StopUserUnits]:
    """Services in users' managers that are stopped and come back as the system's own do."""
    for uid in sorted({owner_of(h) for h in request.state.holders if is_manager(h.unit)}):
        if units := _lent(request, uid):
            user, seconds = ending.name_of(uid, request), request.config.limits.desktop
            yield StopUserUnits(uid, user, units, seconds)


def _lent(request: Request, uid: int) -> tuple[str, ...]:
    if request.ends_desktop:
        found = letting_go(request, uid)
        return found.lent if found else ()
    named = [(unit_in_manager(h), h) for h in _holders(request, uid) if not is_sound(h)]
    return tuple(sorted({name for name, h in named if name and not _ends(name, h, request)}))


def _holders(request: Request, uid: int) -> list[Holder]:
    mine = [h for h in request.state.holders if h.unit == manager_of(uid)]
    return [holder for holder in mine if container_of(holder) is None]


def unit_in_manager(holder: Holder) -> str | None:
    """The unit of the user's manager that a process is in, by its control group."""
    below = holder.group.partition(f"/{holder.unit}/")[2].split("/")
    name = next((part for part in below if not part.endswith(".slice")), "")
    return name if _UNIT.fullmatch(name) and name != _MANAGER_ITSELF else None


def users(request: Request) -> list[str]:
    """Names of those whose session ends and whose manager goes on meanwhile."""
    leaving = {s.uid: s.user for s in ending.sessions(request)}
    return sorted(
        user
        for uid, user in leaving.items()
        if ending.outlives(request, uid) and not _is_stopped(request, uid)
    )


def _is_stopped(request: Request, uid: int) -> bool:
    return bool(_holders(request, uid)) and letting_go(request, uid) is None


def steps(request: Request) -> Iterator[StopInManager]:
    """What lets go in managers that stay; after the sessions have ended."""
    leaving = {s.uid: s.user for s in ending.sessions(request)}
    for unit, uid in ending.holding_units(request).items():
        if not is_manager(unit) or (found := letting_go(request, uid)) is None:
            continue
        units = (*found.stopped, *((GRAPHICAL,) if _loses_desktop(request, uid) else ()))
        user = leaving.get(uid) or ending.name_of(uid, request)
        seconds = request.config.limits.desktop
        if units or found.anew:
            yield StopInManager(uid, user, units, found.anew, seconds)


def _loses_desktop(request: Request, uid: int) -> bool:
    """Whether a user's last desktop ends; one from afar that does not use the card stays."""
    ending_now = [s.ident for s in ending.sessions(request) if s.uid == uid]
    mine = [s for s in request.state.sessions if s.uid == uid and s.is_desktop]
    return bool(ending_now) and all(s.ident in ending_now for s in mine)


def remembering(request: Request) -> Iterator[RememberApplications]:
    """Each person's applications are written down while they are still open."""
    how = request.config.reopen
    if how is Reopen.NEVER:
        return
    silent = ending.silent(request)
    found = [s for s in ending.sessions(request) if s not in silent]
    sessions = [s for s in found if s.uid >= _FIRST_PERSON]
    for uid, user in sorted({(s.uid, s.user) for s in sessions}):
        idents = tuple(sorted(s.ident for s in sessions if s.uid == uid))
        seconds = request.config.limits.desktop
        yield RememberApplications(uid, user, idents, how.value, seconds)
