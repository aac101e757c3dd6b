"""What a guest's entry in the login screen asks for, beside its guest's start."""

import re
from collections.abc import Sequence
from typing import Any

from vfiod.daemon import rights
from vfiod.daemon.answers import answered, refuse_with, when_done
from vfiod.daemon.authority import Authority
from vfiod.daemon.background import OneEach
from vfiod.errors import Refused, VfiodError
from vfiod.host.commands import Commands

# NAME:KIND or nothing. The name is looked up among the sessions there are, by another process.
_SESSION = re.compile(r"(?:[\w.+@() -]{1,120}:[a-z0-9]{0,20})?", re.ASCII)


class SessionCalls:
    """One method for each of the bus's, called in the main loop."""

    def __init__(self, commands: Commands, authority: Authority) -> None:
        self._commands, self._authority = commands, authority
        self._proposing = OneEach("proposed a session, which is being written down")

    def __contains__(self, method: str) -> bool:
        return method == "ProposeSession"

    def call(self, sender: str, _method: str, values: Sequence[Any], invocation: Any) -> None:
        """Only the caller's own login screen changes. Raises VfiodError, or answers later."""
        session = values[0]
        if not _SESSION.fullmatch(session):
            text = f"{session[:60]!r} is no session's name and kind, like gnome:wayland"
            raise Refused([VfiodError(text)], heading="nothing was done")
        uid = self._authority.uid_of(sender)

        def allowed() -> None:
            with answered(invocation):
                # Who sits at the screen may do this, without a password, as often as they like.
                begun = self._proposing.begin(
                    uid, lambda: self._commands.propose_session(uid, session)
                )
                when_done(invocation, begun)

        self._authority.ask(
            sender, rights.PROPOSE, allowed, lambda error: refuse_with(invocation, error)
        )
