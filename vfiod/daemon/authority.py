"""Asking polkit whether a caller may do something (polkit(8), CheckAuthorization)."""

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from vfiod.bus.calls import variant
from vfiod.bus.connection import Bus
from vfiod.bus.errors import Ended
from vfiod.daemon.rights import Action
from vfiod.errors import HostError, NotAuthorized, TimedOut

# A password is typed within that.
ASK_SECONDS = 120.0
_CANCEL_SECONDS = 10.0
_POLKIT = "org.freedesktop.PolicyKit1"
_PATH = "/org/freedesktop/PolicyKit1/Authority"
_AUTHORITY = f"{_POLKIT}.Authority"
_MAY_ASK = 1
_SUDO = "run it as root, or with sudo"

Then = Callable[[], object]


class Authority:
    """Knows root by the bus, and asks polkit about everybody else."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._numbers = count(1)

    def uid_of(self, sender: str) -> int:
        """The user id of a caller."""
        return self._bus.uid_of(sender)

    def require_root(self, sender: str) -> None:
        """The bus policy says so too; this holds where the policy is not installed."""
        if self.uid_of(sender) != 0:
            raise NotAuthorized("only root may call this")

    def ask(
        self,
        sender: str,
        action: Action,
        allowed: Then,
        denied: Callable[[NotAuthorized], object],
        details: Mapping[str, str] | None = None,
    ) -> None:
        """Call one of the two in the main loop, without waiting in it.

        Arguments: ``details`` are what the action's message tells, as $(name).
        """
        if self.uid_of(sender) == 0:
            allowed()
            return

        question = f"vfiod-{next(self._numbers)}"

        def answered(values: Any, error: HostError | None) -> None:
            if error is not None:
                if _is_late(error):
                    self._cancel(question)
                denied(_unknown(action, error))
            elif values[0][0]:
                allowed()
            else:
                denied(NotAuthorized(f"you may not {action.what}", _SUDO))

        subject = ("system-bus-name", {"name": variant("s", sender)})
        asked = (subject, action.ident, dict(details or {}), _MAY_ASK, question)
        self._call("CheckAuthorization", "(sa{sv})sa{ss}us", asked, answered, ASK_SECONDS)

    def _cancel(self, question: str) -> None:
        """Have polkit ask for no password any more that would come too late."""

        def answered(_values: Any, _error: HostError | None) -> None:
            """Nobody waits for it."""

        self._call("CancelCheckAuthorization", "s", (question,), answered, _CANCEL_SECONDS)

    def _call(
        self,
        method: str,
        signature: str,
        arguments: Sequence[Any],
        then: Callable[[Any, HostError | None], None],
        seconds: float,
    ) -> None:
        name = f"{_AUTHORITY}.{method}"
        self._bus.call_later(_POLKIT, _PATH, name, signature, arguments, then, seconds=seconds)


def _unknown(action: Action, error: HostError) -> NotAuthorized:
    """Nobody has said no: polkit is not there, say, or a password was typed too late."""
    text = f"whether you may {action.what} is not known: {error.message}"
    again = f"try again: a password is waited for {ASK_SECONDS:g} s"
    hints = [again] if _is_late(error) else error.hint.splitlines()
    return NotAuthorized(text, "\n".join([*hints, _SUDO]))


def _is_late(error: HostError) -> bool:
    """Whether polkit may be asking still."""
    return isinstance(error, TimedOut) and not isinstance(error, Ended)
