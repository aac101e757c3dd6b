"""A desktop whose notifications do not answer any more."""

from typing import Any

import pytest

from vfiod.cli import notifications
from vfiod.errors import TimedOut


class Hanging:
    """Shows one, and then hangs. ``waited`` is for how long."""

    def __init__(self, *, of_session: bool) -> None:
        assert of_session
        self.waited: list[float] = []

    def call(self, _service: str, _path: str, method: str, *_: Any, seconds: float = 10) -> Any:
        if method.endswith("CloseNotification"):
            self.waited.append(seconds)
            raise TimedOut("no answer")
        return [["actions"]] if method.endswith("GetCapabilities") else [7]

    def subscribe(self, *_: Any) -> int:
        return 1


def test_one_is_not_waited_for_when_it_is_taken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = Hanging(of_session=True)
    monkeypatch.setattr(notifications, "Bus", lambda **_: bus)
    take_off = notifications.Notifications().put("a guest waits", "", {}, lambda _key: None)
    take_off()
    assert bus.waited == [2.0]
