"""vfiod try: what is to happen at the end of a trial, and to whom; vfiod keep: which it is."""

import json
from typing import Any

import pytest

from vfiod.cli import main as cli
from vfiod.errors import Busy, HostError, Refused
from vfiod.host.commands import time_is_over

NAME = "-n $HOME"


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was done, in order; nobody has the devices, and whoever is asked agrees."""
    log: list[Any] = []
    monkeypatch.setattr("vfiod.cli.ready.warning", lambda guest, _what: guest)
    monkeypatch.setattr("vfiod.cli.ready.require_idle", lambda: log.append("looked"))
    monkeypatch.setattr("vfiod.guest.connection.start", log.append)
    monkeypatch.setattr("vfiod.tools.trial.begin", lambda _unit, argv, seconds: log.append(argv))
    monkeypatch.setattr("vfiod.tools.trial.cancel", lambda _unit: log.append("cancelled"))
    return log


def test_a_trial_ends_its_own_guest_alone(done: list[Any]) -> None:
    assert cli.main(["try", "--yes", "--port", "127.0.0.1:3389", "--", NAME]) == 0
    looked, argv, started = done
    assert (looked, started) == ("looked", NAME)
    ending = cli.parser().parse_args(argv[1:])
    assert (ending.verb, ending.guest, ending.shutdown) == ("return", NAME, 30)
    assert ending.unless_answering


def test_who_has_the_devices_by_the_time_of_the_answer_gets_no_timer(
    done: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise Busy("win10 has the devices")

    monkeypatch.setattr("vfiod.cli.ready.require_idle", refuse)
    assert cli.main(["try", "--yes", "win11"]) == Busy.exit_code
    assert done == []


def test_a_start_that_fails_has_no_trial(done: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_guest: str) -> None:
        raise HostError("libvirt says: no network")

    monkeypatch.setattr("vfiod.guest.connection.start", fail)
    assert cli.main(["try", "--yes", "win10"]) == HostError.exit_code
    assert done[-1] == "cancelled"


class IdleBus:
    """Behind it the host has its devices; nothing else is to be asked then."""

    def call(self, _name: str, _path: str, method: str, *_: Any, seconds: float) -> Any:
        assert (method, seconds) == ("org.vfiod1.Manager.Status", 5)
        return (json.dumps({"guest": None}),)


def test_without_a_guest_there_is_no_trial_to_make_longer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("vfiod.bus.connection.Bus", IdleBus)
    assert cli.main(["keep", "--for", "60"]) == 1
    assert "no guest is on trial" in capsys.readouterr().err


def test_a_trial_that_is_over_is_not_said_to_be_confirmed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def over(_unit: str) -> bool:
        raise time_is_over()

    monkeypatch.setattr("vfiod.tools.trial.confirm", over)
    assert cli.main(["keep"]) == Refused.exit_code
    said = capsys.readouterr()
    assert "Confirmed" not in said.out
    assert "its guest is being shut down" in said.err
