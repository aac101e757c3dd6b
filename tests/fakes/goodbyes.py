"""People at the screen of the model, who are asked to leave it."""

from tests.fakes.clock import Clock
from tests.fakes.doors import Door
from tests.fakes.fault import Effects
from tests.fakes.kernel import Kernel
from tests.fakes.userspace import Userspace
from vfiod.errors import HostError
from vfiod.host.goodbye import Answer, Outcome
from vfiod.model import Session


class FakeGoodbyes(Door):
    """Implements vfiod.host.goodbye.Goodbyes. ``answers`` are by user, and by what they are asked;
    without one they are told, and log out.
    """

    def __init__(self, kernel: Kernel, user: Userspace, effects: Effects, clock: Clock) -> None:
        super().__init__(kernel, user, effects)
        self.answers: dict[tuple[str, str], Answer | HostError] = {}
        self.asked: list[str] = []
        self.settles: list[float] = []
        self._clock = clock

    def announce(self, session: Session, guest: str, *, seconds: float) -> Answer:
        return self._ask("announce", session, seconds, Answer(Outcome.DONE))

    def log_out(self, session: Session, guest: str, *, seconds: float, settle: float) -> Answer:
        self.settles.append(settle)
        there = session.ident in self._user.sessions
        answer = self._ask("log out", session, seconds, Answer(Outcome.DONE))
        if there and answer.outcome is Outcome.DONE:
            self._effects.take(f"log out {session.ident}", lambda: self._log_out(session))
            self._clock.wait(lambda: session.ident not in self._user.sessions, seconds=seconds)
        return answer

    def _ask(self, what: str, session: Session, seconds: float, usual: Answer) -> Answer:
        self.asked.append(f"{what} {session.user}")
        answer = self.answers.get((what, session.user), usual)
        if isinstance(answer, HostError):
            raise answer
        shown = what == "announce" and answer.outcome is Outcome.DONE
        if shown or answer.outcome is Outcome.UNANSWERED:
            self._clock.wait(lambda: False, seconds=seconds)
        return answer

    def _log_out(self, session: Session) -> None:
        """The session's first process ends, which a getty begins anew."""
        self._user.kill(session.leader)
        self._user.terminate(session.ident)
