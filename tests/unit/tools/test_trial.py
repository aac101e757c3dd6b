"""The timer of a trial, as systemd is asked for it."""

import pytest

from vfiod.errors import HostError
from vfiod.tools import trial
from vfiod.util.programs import Done


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What systemd is asked; it has a unit of that name until that is stopped."""
    commands: list[list[str]] = []

    def finish(argv: list[str], *, seconds: float) -> Done:
        commands.append(argv)
        left = argv[0] == "systemd-run" and not any("stop" in words for words in commands)
        return Done(argv, int(left), "", "Unit vfiod-trial.timer was already loaded")

    monkeypatch.setattr(trial, "finish", finish)
    return commands


def test_what_an_earlier_trial_left_is_in_nobody_s_way(asked: list[list[str]]) -> None:
    trial.begin("vfiod-trial", ["/usr/bin/vfiod", "return", "--from=a $b"], seconds=9)
    first, stopped, again = asked
    assert stopped[-3:] == ["stop", "vfiod-trial.timer", "vfiod-trial.service"]
    assert first == again
    assert first[-1] == "--from=a $$b"


def test_a_systemd_that_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "finish", lambda argv, seconds: Done(argv, 1, "", "Access denied"))
    with pytest.raises(HostError, match="does not set the timer vfiod-trial: Access denied"):
        trial.begin("vfiod-trial", ["/usr/bin/vfiod"], seconds=9)
