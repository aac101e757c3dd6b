"""Ctrl+C at any moment of a start that this program has asked for."""

from typing import Any

import pytest

from vfiod.cli import waiting
from vfiod.errors import Busy


class Client:
    """The service; Ctrl+C is pressed while it is asked."""

    def __init__(self, *, runs: bool = True) -> None:
        self.runs = runs
        self.cancelled = False

    def start_guest(self, guest: str, *, seconds: int) -> None:
        raise KeyboardInterrupt

    def cancel_start(self, guest: str) -> None:
        assert guest == "win10"
        if not self.runs:
            raise Busy("no start is under way")
        self.cancelled = True


def test_ctrl_c_while_the_service_is_asked_cancels_what_it_has_begun(
    capsys: pytest.CaptureFixture[str],
) -> None:
    client: Any = Client()
    assert waiting.start(client, waiting.Outcome("win10"), countdown=10) == 130
    assert client.cancelled
    assert "Cancelled: win10 was not started." in capsys.readouterr().out


def test_what_cannot_be_cancelled_any_more_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    client: Any = Client(runs=False)
    assert waiting.start(client, waiting.Outcome("win10"), countdown=10) == 130
    assert "It is too late to cancel: no start is under way" in capsys.readouterr().err


def _error(outcome: waiting.Outcome) -> str:
    outcome.hear("win10", False, "win10 was not started: no")  # noqa: FBT003
    return str(outcome.error)


def test_the_log_is_named_once_it_tells_of_this_start() -> None:
    outcome = waiting.Outcome("win10")
    outcome.begun("win10")
    assert _error(outcome) == "win10 was not started: no\n    see: sudo vfiod log --last"


def test_a_start_that_was_refused_before_is_not_in_the_log() -> None:
    outcome = waiting.Outcome("win10")
    outcome.begun("win11")
    assert _error(outcome) == "win10 was not started: no"
