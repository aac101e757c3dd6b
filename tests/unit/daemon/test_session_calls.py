"""What polkit lets everybody at the screen do without a password is done once at a time."""

import threading
from types import SimpleNamespace
from typing import Any, cast

from tests.unit.daemon.test_guest_calls import LONG, Call, until
from vfiod.daemon.answers import answered
from vfiod.daemon.session_calls import SessionCalls


def test_one_proposal_of_a_user_is_written_down_at_a_time() -> None:
    go, done = threading.Event(), list[str]()

    def propose_session(uid: int, session: str) -> None:
        assert go.wait(LONG)
        done.append(f"{session} to {uid}")

    authority = SimpleNamespace(uid_of=int, ask=lambda _s, _a, allowed, *_: allowed())
    commands = SimpleNamespace(propose_session=propose_session)
    calls = SessionCalls(*cast("Any", (commands, authority)))

    def propose(uid: int, session: str) -> Call:
        invocation = Call()
        with answered(invocation):
            calls.call(str(uid), "ProposeSession", (session,), invocation)
        return invocation

    first, second, other = propose(1000, "a:x11"), propose(1000, "b:x11"), propose(1001, "c:x11")
    assert (first.answered, second.error) == (False, "org.vfiod1.Error.Busy")
    go.set()
    until(lambda: first.answered and other.answered)
    third = propose(1000, "d:x11")
    until(lambda: third.answered)
    assert (sorted(done[:2]), done[2:]) == (["a:x11 to 1000", "c:x11 to 1001"], ["d:x11 to 1000"])
