"""Steps that ask the people at the screen, before anything of theirs ends.

They change nothing that could be given back: what was refused here leaves every desktop alone, but
for those that have logged out by themselves meanwhile.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from vfiod.errors import HostError, Refused, VfiodError
from vfiod.handoff.steps.base import AskingStep, Notes
from vfiod.host.door import Host
from vfiod.host.goodbye import Answer, GoOn, Outcome
from vfiod.model import Session

Ask = Callable[[Session], Answer]
# For a desktop that ends by itself meanwhile to be gone for logind, too.
_SETTLE = 15.0


@dataclass(frozen=True, slots=True)
class AnnounceStart(AskingStep):
    """Tell people that a guest is about to take the screen; they may press "Not now"."""

    kind: ClassVar[str] = "announce-start"
    guest: str
    sessions: tuple[str, ...]
    users: tuple[str, ...]
    seconds: float

    def describe(self) -> str:
        return f'tell {", ".join(self.users)}, who may say "Not now" for {self.seconds:g} s'

    def ask(self, host: Host, go_on: GoOn) -> Notes:
        def ask(session: Session) -> Answer:
            return host.goodbyes.announce(session, self.guest, seconds=self.seconds, go_on=go_on)

        answers = _ask_all(host, self.sessions, ask)
        faults = [
            VfiodError(f'{s.user} pressed "Not now"', _later(self.guest))
            for s, answer in answers
            if _is(answer, Outcome.DECLINED)
        ]
        if faults:
            raise _refused(self.guest, faults)
        return [f"{s.user} was not told: {_why_not_told(a)}" for s, a in answers if _untold(a)]


@dataclass(frozen=True, slots=True)
class AskToLogOut(AskingStep):
    """Have each desktop's session manager log out, so that programs save, or ask.

    ``required``: what has not ended by itself refuses the start; else it is ended by force later.
    """

    kind: ClassVar[str] = "ask-to-log-out"
    guest: str
    sessions: tuple[str, ...]
    users: tuple[str, ...]
    seconds: float
    required: bool

    def describe(self) -> str:
        return f"ask the desktop of {', '.join(self.users)} to log out, within {self.seconds:g} s"

    def ask(self, host: Host, go_on: GoOn) -> Notes:
        settle = _SETTLE if self.required else 0.0  # else it is ended all the same

        def ask(session: Session) -> Answer:
            return host.goodbyes.log_out(
                session, self.guest, seconds=self.seconds, settle=settle, go_on=go_on
            )

        left = [
            (session, answer)
            for session, answer in _ask_all(host, self.sessions, ask)
            if not _is(answer, Outcome.DONE)
        ]
        against = [(s, a) for s, a in left if self.required or _is(a, Outcome.DECLINED)]
        if against:
            raise _refused(self.guest, [self._fault(s, a) for s, a in against])
        return [f"{self._left(s, a)}; it is ended all the same" for s, a in left]

    def _fault(self, session: Session, answer: "Answer | HostError") -> VfiodError:
        what = self._left(session, answer)
        if _is(answer, Outcome.DECLINED):
            return VfiodError(what, _later(self.guest))
        return VfiodError(
            what, f"save and log out, then start {self.guest} again; or set sessions: log-out"
        )

    def _left(self, session: Session, answer: "Answer | HostError") -> str:
        if isinstance(answer, HostError):
            return answer.message
        if answer.outcome is Outcome.DECLINED:
            return f"the logout of {session.user} was cancelled"
        if answer.outcome is Outcome.NOBODY:
            return f"nobody on the desktop of {session.user} can be asked to log out"
        text = f"the desktop of {session.user} has not logged out"
        if answer.outcome is Outcome.UNANSWERED:
            text += f" within {self.seconds:g} s"
        return f"{text}: {', '.join(answer.waits_for)}" if answer.waits_for else text


def _ask_all(
    host: Host, sessions: Sequence[str], ask: Ask
) -> list[tuple[Session, "Answer | HostError"]]:
    """Side by side, as each may take all of its time; what became of each that is still there.

    Nobody is at one that is closing.
    """
    there = [s for s in host.logins.sessions() if s.ident in sessions and not s.closing]
    answers: dict[str, Answer | HostError] = {}

    def keep(session: Session) -> None:
        try:
            answers[session.ident] = ask(session)
        except HostError as error:
            answers[session.ident] = error

    host.run_parallel([partial(keep, session) for session in there])
    return [(session, answers[session.ident]) for session in there]


def _is(answer: "Answer | HostError", outcome: Outcome) -> bool:
    return isinstance(answer, Answer) and answer.outcome is outcome


def _untold(answer: "Answer | HostError") -> bool:
    return not _is(answer, Outcome.DONE)


def _why_not_told(answer: "Answer | HostError") -> str:
    return answer.message if isinstance(answer, HostError) else "the desktop shows no notifications"


def _later(guest: str) -> str:
    return f"start {guest} again when it suits"


def _refused(guest: str, faults: Sequence[VfiodError]) -> Refused:
    return Refused(faults, heading=f"{guest} was not started")
