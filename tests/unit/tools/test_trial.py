"""The timer of a trial, as systemd is asked for it."""

import pytest

from vfiod.errors import HostError, Refused
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


class Systemctl:
    """Which units are active; a timer that is stopped may just have elapsed."""

    def __init__(self, *active: str, elapses: bool = False) -> None:
        self.active, self._elapses = set(active), elapses

    def __call__(self, argv: list[str], *, seconds: float) -> Done:
        verb, unit = argv[-2:]
        is_active = unit in self.active
        if verb == "stop":
            self.active.discard(unit)
            self.active |= {"vfiod-trial.service"} if self._elapses else set()
            return Done(argv, 0, "", "")
        return Done(argv, 0 if is_active else 3, "", "")


TIMER = "vfiod-trial.timer"


@pytest.mark.parametrize(("active", "found"), [([TIMER], True), ([], False)])
def test_a_trial_is_confirmed_if_there_is_one(
    monkeypatch: pytest.MonkeyPatch, active: list[str], *, found: bool
) -> None:
    systemd = Systemctl(*active)
    monkeypatch.setattr(trial, "finish", systemd)
    assert trial.confirm("vfiod-trial") is found
    assert systemd.active == set()


@pytest.mark.parametrize(
    "systemd",
    [Systemctl(TIMER, "vfiod-trial.service"), Systemctl("vfiod-trial.service"),
     Systemctl(TIMER, elapses=True)],
)  # fmt: skip
def test_a_trial_whose_time_is_over_is_not_confirmed(
    monkeypatch: pytest.MonkeyPatch, systemd: Systemctl
) -> None:
    monkeypatch.setattr(trial, "finish", systemd)
    with pytest.raises(Refused, match="its guest is being shut down"):
        trial.confirm("vfiod-trial")
