"""What comes back from the process that called libvirt, and systemd's word on a trial."""

import json
from typing import Any, cast

import pytest

from tests.fakes.bus import BusUnit, FakeBus
from vfiod.cli.main import parser
from vfiod.errors import Busy, ConfigError, HostError, Refused, VfiodError
from vfiod.host.linux.commands import LinuxCommands, understand
from vfiod.host.linux.process import Programs
from vfiod.host.linux.units import LinuxUnits
from vfiod.paths import PROGRAM


def told(name: str) -> str:
    return json.dumps({"error": f"org.vfiod1.Error.{name}", "message": "so it is", "hint": "wait"})


@pytest.mark.parametrize(
    ("name", "kind"),
    [("Busy", Busy), ("Host", HostError), ("Refused", Refused), ("Config", ConfigError),
     ("Unheard", VfiodError)],
)  # fmt: skip
def test_an_error_comes_back_as_it_was(name: str, kind: type[VfiodError]) -> None:
    with pytest.raises(kind, match="so it is") as caught:
        understand(told(name))
    assert type(caught.value) is kind


def test_a_result_is_given() -> None:
    assert understand('{"result": [{"name": "win11"}]}') == [{"name": "win11"}]


@pytest.mark.parametrize("said", ["", "Segmentation fault", "[]", "{}", "7"])
def test_anything_else_is_no_answer(said: str) -> None:
    with pytest.raises(HostError, match="not an answer"):
        understand(said)


def commands(bus: FakeBus) -> LinuxCommands:
    return LinuxCommands(bus, LinuxUnits(bus), Programs())


def test_without_a_trial_there_is_nothing_to_keep() -> None:
    bus = FakeBus()
    bus.units["vfiod-trial.timer"] = BusUnit("vfiod-trial.timer", active="inactive")
    assert commands(bus).trial_until() == 0
    with pytest.raises(Refused, match="no guest is on trial"):
        commands(bus).keep(0)


def test_a_trial_that_is_kept_for_good_has_no_timer_any_more() -> None:
    bus = FakeBus()
    bus.units["vfiod-trial.timer"] = BusUnit("vfiod-trial.timer")
    commands(bus).keep(0)
    assert ("StopUnit", "vfiod-trial.timer", "replace") in bus.calls


def test_a_libvirt_that_does_not_answer_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise HostError("systemd-run failed: exit status 1")

    programs = Programs()
    monkeypatch.setattr(programs, "run", fail)
    commands = LinuxCommands(cast(Any, None), cast(LinuxUnits, None), programs)
    with pytest.raises(HostError, match="gave no answer within 90 s") as caught:
        commands.look()
    assert "journalctl -b -u vfiod-look-1-" in caught.value.hint


@pytest.mark.parametrize("session", ["gnome:wayland", "", "-x:x11"])
def test_a_proposal_is_made_by_a_unit_of_its_own(
    monkeypatch: pytest.MonkeyPatch, session: str
) -> None:
    ran: list[list[str]] = []
    programs = Programs()
    monkeypatch.setattr(programs, "run", lambda argv, **_: ran.append(argv))
    LinuxCommands(cast(Any, None), cast(LinuxUnits, None), programs).propose_session(1000, session)
    (argv,) = ran
    words = argv[argv.index(PROGRAM) + 1 :]
    arguments = parser().parse_args(words)
    assert (arguments.propose, arguments.user) == (session, 1000)
    assert "--wait" in argv[: argv.index(PROGRAM)]
