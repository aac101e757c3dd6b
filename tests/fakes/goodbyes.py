"""People at the screen of the model, who are asked to leave it."""

from tests.fakes.clock import Clock
from tests.fakes.doors import Door
from tests.fakes.fault import Effects
from tests.fakes.kernel import Kernel
from tests.fakes.userspace import Userspace
from vfiod.errors import HostError, VfiodError
from vfiod.host.goodbye import Answer, GoOn, Outcome
from vfiod.model import Session

_LOOK = 0.5


class FakeGoodbyes(Door):
    """Implements vfiod.host.goodbye.Goodbyes. ``answers`` are by user, and by what they are asked;
    without one they are told, and log out.
    """

    def __init__(self, kernel: Kernel, user: Userspace, effects: Effects, clock: Clock) -> None:
        super().__init__(kernel, user, effects)
        self.answers: dict[tuple[str, str], Answer | HostError] = {}
        self.asked: list[str] = []
        self.taken_back: list[str] = []
        self.settles: list[float] = []
        self._clock = clock

    def announce(self, session: Session, guest: str, *, seconds: float, go_on: GoOn) -> Answer:
        return self._ask("announce", session, seconds, go_on)

    def log_out(
        self, session: Session, guest: str, *, seconds: float, settle: float, go_on: GoOn
    ) -> Answer:
        self.settles.append(settle)
        there = session.ident in self._user.sessions
        answer = self._ask("log out", session, seconds, go_on)
        if there and answer.outcome is Outcome.DONE:
            self._effects.take(f"log out {session.ident}", lambda: self._log_out(session))
            self._clock.wait(lambda: self._is_over(session), seconds=seconds)
        go_on()
        return answer

    def _ask(self, what: str, session: Session, seconds: float, go_on: GoOn) -> Answer:
        go_on()
        self.asked.append(f"{what} {session.user}")
        answer = self.answers.get((what, session.user), Answer(Outcome.DONE))
        if isinstance(answer, HostError):
            raise answer
        shown = what == "announce" and answer.outcome is Outcome.DONE
        if shown or answer.outcome is Outcome.UNANSWERED:
            try:
                self._wait(seconds, go_on)
            except VfiodError:
                self.taken_back.append(self.asked[-1])
                raise
        return answer

    def _wait(self, seconds: float, go_on: GoOn) -> None:
        """As Linux does, by looking every half second."""
        deadline = self._clock.time + seconds
        while self._clock.time < deadline:
            self._clock.advance(min(_LOOK, deadline - self._clock.time))
            go_on()

    def _log_out(self, session: Session) -> None:
        """Its programs end, and its first process, which a getty begins anew."""

        def end() -> None:
            self._user.kill(session.leader)
            self._user.hang_up(session.ident)

        self._clock.after(self._user.session_ends_after, end)

    def _is_over(self, session: Session) -> bool:
        left = self._user.sessions.get(session.ident)
        return left is None or left.closing
