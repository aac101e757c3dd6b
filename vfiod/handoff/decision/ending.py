"""What a handoff ends, and whose it is. Pure; plan and checks both go by it.

The people are found from what ends, never from what logind calls a session: a desktop that was
started from a text login is of type tty, a remote one has no seat.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vfiod.config.spared import is_guest, is_spared, is_untouchable
from vfiod.handoff.accounts import is_manager, is_persons, manager_of, owner_of
from vfiod.handoff.decision.containers import container_of
from vfiod.handoff.decision.request import Request
from vfiod.handoff.nodes import is_sound
from vfiod.model import ENTRY, STARTER, Holder, Session

_SHOWN = 5
_SOUND_SERVERS = frozenset({"pipewire", "pipewire-pulse", "wireplumber", "pulseaudio"})
# What an entry runs: itself, and a window to say so.
_OF_ENTRY = frozenset({STARTER, "zenity", "kdialog", "yad", "xmessage", "xterm"})
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")
# libvirt names a guest's scope after driver, number and guest (src/util/virsystemd.c).
_GUEST = re.compile(r"machine-qemu-\d+-(.+)\.scope")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose work ends, and the programs in it that they would know, applications first."""

    user: str
    programs: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[str, ...]:
        """The first few of them."""
        more = len(self.programs) - _SHOWN
        return (*self.programs[:_SHOWN], f"{more} more") if more > 0 else self.programs

    def __str__(self) -> str:
        return f"{self.user} ({', '.join(self.shown)})" if self.programs else self.user


def sessions(request: Request) -> list[Session]:
    """People's sessions that end: those on the display's seat, desktops that hold a device, and
    logins in a terminal whose service does.

    With the display manager all that it began end, on whatever seat.
    """
    hung_up = in_terminals(request)
    return [
        s for s in request.state.sessions if s.is_person and (_ends(s, request) or s in hung_up)
    ]


def in_terminals(request: Request) -> list[Session]:
    """Logins on a console that a service paints on the card: with it they lose their terminal."""
    services, terminals = holding_units(request), request.state.terminals
    return [s for s in request.state.sessions if terminals.get(s.ident) in services]


def silent(request: Request) -> list[Session]:
    """Sessions that end and have no desktop to ask or to remember: logins on such a console, and
    what somebody who has logged out has left with a device open.
    """
    return [*in_terminals(request), *(s for s in sessions(request) if s.closing)]


def is_entry(session: Session, request: Request) -> bool:
    """True for a guest's entry in the login screen: somebody came to start it, and no more.

    LightDM and SDDM tell logind which of their sessions it is; of one of GDM's, which learns that
    after logind, or of gtkgreet's it is seen from what runs in it.
    """
    inside = {p.name for p in request.state.programs if p.unit == session.unit}
    return session.desktop.startswith(ENTRY) or (STARTER in inside and inside <= _OF_ENTRY)


def _ends(session: Session, request: Request) -> bool:
    """One that is closing is no desktop: of what is left of it only a holder is in the way."""
    if not request.ends_desktop:
        return False
    holding = {holder.unit for holder in request.state.holders}
    if session.seat == "seat0":
        return session.is_desktop or session.unit in holding or _begins_desktop(session, request)
    is_served = bool(session.seat) and request.state.display_manager.active
    has_it = session.graphical and session.unit in holding
    return has_it or (session.is_desktop and is_served)


def _begins_desktop(session: Session, request: Request) -> bool:
    """A text login whose desktop runs in the user's manager, as uwsm and systemd's own do.

    A sound server in there, which every manager has, makes no desktop.
    """
    mine = [s for s in request.state.sessions if s.uid == session.uid and s.seat == "seat0"]
    holding = {h.unit for h in request.state.holders if not is_sound(h)}
    has_none = not (session.closing or any(s.is_desktop for s in mine))
    return manager_of(session.uid) in holding and has_none


def spawners(request: Request) -> list[str]:
    """Services that would begin an ended session anew: a getty that logs somebody in."""
    manager = request.state.display_manager.ident
    found = {request.state.spawners.get(s.ident, "") for s in sessions(request)}
    return sorted(s for s in found - {"", manager} if not is_spared(s, request.state.spared))


def may_show_a_desktop(holder: Holder, request: Request) -> bool:
    """Whether it is a login screen's, a session's or some user's manager's."""
    sessions = {s.unit for s in request.state.sessions}
    manager = request.state.display_manager.ident
    return holder.unit == manager or holder.unit in sessions or is_manager(holder.unit)


def holding_units(request: Request) -> Mapping[str, int]:
    """Services that hold a device and do not end with the desktop, with the user's id."""
    units = {h.unit: owner_of(h) for h in request.state.holders if h.unit.endswith(".service")}
    kept, manager = request.state.spared, request.state.display_manager.ident
    found = {u: units[u] for u in sorted(set(units) - {manager}) if not is_spared(u, kept)}
    if not request.ends_desktop:
        # The desktop lives in them; what of it has the card open is ended alone.
        return {u: uid for u, uid in found.items() if not is_manager(u)}
    return found


def freed(request: Request) -> frozenset[str]:
    """Units whose memory comes free when the desktop ends, with those of a login screen."""
    state = request.state
    greeters = {s.unit for s in state.sessions if not s.is_person and _ends(s, request)}
    people = {s.unit for s in sessions(request)}
    ended = {state.display_manager.ident, *greeters, *people, *managers(request)}
    return frozenset(ended - {""}) if request.ends_desktop else frozenset()


def managers(request: Request) -> list[str]:
    """Managers of users none of whose sessions stays: what they run would linger for a while."""
    if not request.ends_desktop:
        return []
    users = {session.uid for session in sessions(request)}
    users |= {uid for unit, uid in holding_units(request).items() if is_manager(unit)}
    return sorted(manager_of(uid) for uid in users if not outlives(request, uid))


def outlives(request: Request, uid: int) -> bool:
    """True if a user's manager would have stayed: it lingers or serves another session, be it one
    that is closing (systemd: user_may_gc() in src/login/logind-user.c).
    """
    ending = {s.ident for s in sessions(request)}
    others = [s for s in request.state.sessions if s.uid == uid and s.ident not in ending]
    return uid in request.state.lingering or any(s.is_person for s in others)


def signalled(request: Request) -> list[Holder]:
    """Holders that no unit's end reaches: the gate sends them signals."""
    ending = {s.unit for s in sessions(request)} | {request.state.display_manager.ident}
    ending |= set(holding_units(request))
    return [h for h in request.state.holders if h.unit not in ending and not is_untouchable(h)]


def guests(request: Request) -> list[Holder]:
    """QEMUs of other guests that render on a device: to end one is to pull its plug."""
    return list({h.pid: h for h in request.state.holders if is_guest(h)}.values())


def guest_of(holder: Holder) -> str | None:
    """What libvirt calls the guest of a QEMU; None if its scope's name does not tell."""
    name = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), holder.unit)
    found = _GUEST.fullmatch(name)
    return found[1] if found else None


def people(request: Request) -> list[Person]:
    """Everybody whose work ends: a session, their manager, or a program that holds a device,
    be it in a service of the system.

    Who came to the login screen for a guest alone has no work there that could end, and a manager
    with nothing in it but what desktops are made of is nobody's either.
    """
    units = dict(_units_of_people(request))
    programs: dict[str, set[str]] = {user: set() for user in units.values()}
    for program in request.state.programs:
        if program.unit in units:
            programs[units[program.unit]].add(program.name)
    for person in people_elsewhere(request):
        programs.setdefault(person.user, set()).update(person.programs)
    there = [s for s in sessions(request) if not s.closing]
    at_work = {s.user for s in there if not is_entry(s, request)}
    found = {user: names for user, names in programs.items() if names or user in at_work}
    opened = {p.name for p in request.state.programs if p.is_application}
    return [
        Person(user, tuple(sorted(names, key=lambda name: (name not in opened, name))))
        for user, names in sorted(found.items())
    ]


def people_elsewhere(request: Request) -> list[Person]:
    """Those whose programs no desktop asks about: in no session and no manager, on a console, or
    left behind by a login that is over.
    """
    programs: dict[str, set[str]] = {}
    for session in silent(request):
        names = {p.name for p in request.state.programs if p.unit == session.unit}
        if names or not session.closing:
            programs.setdefault(session.user, set()).update(names)
    for holder in (*signalled(request), *_in_services(request)):
        # A sound server is back at once, and has lost nothing.
        if holder.command not in _SOUND_SERVERS and (user := _whose(holder, request)):
            programs.setdefault(user, set()).add(holder.command)
    return [Person(user, tuple(sorted(names))) for user, names in sorted(programs.items())]


def _units_of_people(request: Request) -> Iterator[tuple[str, str]]:
    """Scopes of sessions and users' managers that end, each with its user's name."""
    for session in sessions(request):
        if not is_entry(session, request):
            yield session.unit, session.user
        if not outlives(request, session.uid):
            yield manager_of(session.uid), session.user
    for unit, uid in holding_units(request).items():
        if is_manager(unit) and is_persons(uid):  # a greeter has one with a sound server, too
            yield unit, name_of(uid, request)


def _in_services(request: Request) -> list[Holder]:
    """In services that end; one that was listed to be stopped is nobody's surprise."""
    services = set(holding_units(request)) - set(request.config.stop)
    return [h for h in request.state.holders if h.unit in services and not is_manager(h.unit)]


def _whose(holder: Holder, request: Request) -> str | None:
    """The person whose program this is; None for a system's service or a container."""
    for session in request.state.sessions:
        if session.unit == holder.unit and session.is_person:
            return session.user
    uid = owner_of(holder)
    is_person = is_persons(uid) and not _is_contained(holder)
    return name_of(uid, request) if is_person else None


def _is_contained(holder: Holder) -> bool:
    """In a container: its users' numbers are its own."""
    return container_of(holder) is not None or (not holder.unit and holder.group not in ("", "/"))


def name_of(uid: int, request: Request) -> str:
    """A user's name, as far as it is known."""
    names = {s.uid: s.user for s in request.state.sessions}
    return names.get(uid) or request.state.users.get(uid) or f"user {uid}"
