"""A session's bus with a session manager on it, in a table."""

from collections.abc import Callable, Sequence
from typing import Any

from vfiod.bus.connection import Bus
from vfiod.bus.errors import BusError
from vfiod.errors import HostError


class SessionBus(Bus):
    """``names`` are those that somebody has; ``answers`` what a method answers, or fails with.

    A method that is not among them fails. ``called`` has each call but NameHasOwner, by name.
    """

    def __init__(self, *names: str) -> None:
        self.names = set(names)
        self.answers: dict[str, Any] = {}
        self.called: list[str] = []
        self.signals: dict[str, Callable[[Sequence[Any]], None]] = {}

    def call(
        self, service: str, path: str, method: str, signature: str = "", *arguments: Any,
        seconds: float = 1,
    ) -> Any:  # fmt: skip
        name = method.rpartition(".")[-1]
        if name == "NameHasOwner" and name not in self.answers:
            return [arguments[0] in self.names]
        self.called.append(" ".join(map(str, [name, *arguments])))
        return self._answer(name)

    def call_later(
        self, service: str, path: str, method: str, signature: str, arguments: Sequence[Any],
        then: Callable[[Any, HostError | None], None], *, seconds: float,
    ) -> None:  # fmt: skip
        name = method.rpartition(".")[-1]
        self.called.append(" ".join(map(str, [name, *arguments])))
        try:
            then(self._answer(name), None)
        except HostError as error:
            then(None, error)

    def subscribe(self, service: str, signal: str, then: Callable[[Sequence[Any]], None]) -> int:
        self.signals[signal.rpartition(".")[-1]] = then
        return 1

    def _answer(self, name: str) -> Any:
        answer = self.answers.get(name)
        if answer is None:
            answer = BusError(f"no {name}", "org.freedesktop.DBus.Error.UnknownMethod")
        if isinstance(answer, HostError):
            raise answer
        return answer
