"""Steps about people's work."""

from tests.fakes import pcs
from vfiod.handoff.steps.people import EndSessions

SECONDS = 20.0


def test_ending_a_session_waits_until_logind_has_let_it_go() -> None:
    host = pcs.desktop()
    assert EndSessions(("2",), SECONDS).apply(host) == ()
    assert [s.ident for s in host.logins.sessions()] == ["c1"]


def test_a_session_that_stays_listed_is_a_remark_and_no_failure() -> None:
    host = pcs.desktop()
    host.user.session_ends_after = 100
    (remark,) = EndSessions(("2",), SECONDS).apply(host)
    assert remark == (
        "session 2 of alice has not ended after 20 s: the start goes on; what is left of it: "
        "sudo loginctl session-status 2"
    )


def test_a_session_that_is_gone_already_is_not_ended() -> None:
    host = pcs.greeter()
    assert EndSessions(("2",), SECONDS).apply(host) == ()
    assert host.effects.log == []
