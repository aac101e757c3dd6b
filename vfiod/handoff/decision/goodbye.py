"""Whether people are asked before their desktops end, and whose work nobody can ask about. Pure."""

from collections.abc import Iterator

from vfiod.config.schema import SessionPolicy
from vfiod.errors import HostError, VfiodError
from vfiod.handoff.decision import ending
from vfiod.handoff.decision.ending import Person
from vfiod.handoff.decision.request import Request
from vfiod.handoff.steps.base import Step
from vfiod.handoff.steps.goodbye import AnnounceStart, AskToLogOut
from vfiod.model import Session


def steps(request: Request) -> Iterator[Step]:
    """Notification and logout: first of all that a person notices, last of all that may refuse."""
    sessions = _asked(request)
    if not sessions:
        return
    guest, policy = request.guest.name, request.guest.sessions
    idents, users = tuple(sorted(session.ident for session in sessions)), asked(request)
    if request.config.countdown:
        yield AnnounceStart(guest, idents, users, request.config.countdown)
    required = policy is SessionPolicy.REFUSE_UNSAVED
    yield AskToLogOut(guest, idents, users, request.config.limits.goodbye, required)


def asked(request: Request) -> tuple[str, ...]:
    """The users whose desktops are asked to log out."""
    return tuple(sorted({session.user for session in _asked(request)}))


def _asked(request: Request) -> list[Session]:
    """Sessions that end; who came to the login screen for a guest alone has nothing to save, and in
    a login on a console, or one that is over, there is nobody to ask.
    """
    if not request.guest.sessions.asks:
        return []
    silent = ending.silent(request)
    found = [s for s in ending.sessions(request) if s not in silent]
    return [s for s in found if not ending.is_entry(s, request)]


def find_faults(request: Request) -> Iterator[VfiodError]:
    """sessions: refuse and refuse-unsaved protect work, wherever it is that a handoff ends it."""
    if request.guest.sessions is SessionPolicy.REFUSE:
        for person in ending.people(request):
            yield _would_end(person, "sessions is set to refuse", "sessions: terminate")
    if request.guest.sessions is SessionPolicy.REFUSE_UNSAVED:
        for person in _unasked(request):
            why = "no desktop can ask about it, and sessions is set to refuse-unsaved"
            yield _would_end(person, why, "sessions: log-out")


def _unasked(request: Request) -> list[Person]:
    """People whose work ends without a session that ends: a job over ssh with the card open.

    Their own desktop, if they have one beside, knows nothing of it.
    """
    users = asked(request)
    others = [person for person in ending.people(request) if person.user not in users]
    beside = [person for person in ending.people_elsewhere(request) if person.user in users]
    return [*others, *beside]


def _would_end(person: Person, why: str, instead: str) -> HostError:
    return HostError(
        f"the work of {person} would end, and {why}",
        f"save it and log out first, or set {instead}",
    )
