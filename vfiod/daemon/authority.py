"""Asking polkit whether a caller may do something (polkit(8), CheckAuthorization)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vfiod.bus.calls import variant
from vfiod.bus.connection import Bus
from vfiod.daemon.rights import Action
from vfiod.errors import HostError, NotAuthorized

_ASK_SECONDS = 120.0
_POLKIT = "org.freedesktop.PolicyKit1"
_MAY_ASK = 1

Then = Callable[[], object]


class Authority:
    """Knows root by the bus, and asks polkit about everybody else."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

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

        def answered(values: Any, error: HostError | None) -> None:
            if error is None and values[0][0]:
                allowed()
            else:
                text = f"you may not {action.what}"
                denied(NotAuthorized(text, "run it as root, or with sudo"))

        subject = ("system-bus-name", {"name": variant("s", sender)})
        self._check((subject, action.ident, dict(details or {}), _MAY_ASK, ""), answered)

    def _check(
        self, question: Sequence[Any], answered: Callable[[Any, HostError | None], None]
    ) -> None:
        self._bus.call_later(
            _POLKIT,
            f"/{_POLKIT.replace('.', '/')}/Authority",
            f"{_POLKIT}.Authority.CheckAuthorization",
            "(sa{sv})sa{ss}us",
            question,
            answered,
            seconds=_ASK_SECONDS,
        )
