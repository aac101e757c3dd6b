"""What comes back from the process that called libvirt, and systemd's word on a trial."""

import json
import re
from collections.abc import Sequence
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
    assert commands(bus).trial_until("win10") == 0
    with pytest.raises(Refused, match="win10 is not on trial"):
        commands(bus).keep("win10", 0)


def test_a_trial_that_is_kept_for_good_has_no_timer_any_more() -> None:
    bus = FakeBus()
    bus.units["vfiod-trial.timer"] = BusUnit("vfiod-trial.timer")
    commands(bus).keep("win10", 0)
    assert ("StopUnit", "vfiod-trial.timer", "replace") in bus.calls


ENDING = ["/usr/bin/vfiod", "return", "--shutdown", "30", "--unless-answering", "--from=a $$b"]


class Ran(Programs):
    """Programs that are only noted down; the last one ends as the test says."""

    def __init__(self, fault: HostError | None = None) -> None:
        super().__init__()
        self.fault = fault
        self.argv: list[str] = []

    def run(self, argv: Sequence[str], **_wanted: Any) -> str:
        self.argv = list(argv)
        if self.fault is not None:
            raise self.fault
        return ""


def on_trial(ending: Sequence[str] = ENDING) -> FakeBus:
    """A bus as `vfiod try` leaves it."""
    bus = FakeBus()
    started = ("/usr/bin/vfiod", ending, False, 0, 0, 0, 0, 0, 0, 0)
    bus.units["vfiod-trial.timer"] = BusUnit("vfiod-trial.timer")
    bus.units["vfiod-trial.service"] = BusUnit(
        "vfiod-trial.service", "inactive", exec_start=[started]
    )
    return bus


@pytest.mark.parametrize(
    ("guest", "ending", "is_meant"),
    [("a $b", ENDING, True), ("win10", ENDING, False), ("a $$b", ENDING, False),
     ("win10", ENDING[:-1], True)],
)  # fmt: skip
def test_a_trial_is_that_of_the_guest_it_ends(
    *, guest: str, ending: list[str], is_meant: bool
) -> None:
    """One that an older vfiod set is anybody's."""
    bus = on_trial(ending)
    bus.elapses = 2**62
    assert (commands(bus).trial_until(guest) > 0) == is_meant
    commands(bus).end_trial(guest)
    assert (bus.units["vfiod-trial.timer"].active == "inactive") == is_meant


def test_a_trial_of_another_guest_is_not_kept() -> None:
    bus = on_trial()
    with pytest.raises(Refused, match="win10 is not on trial"):
        commands(bus).keep("win10", 0)
    assert bus.units["vfiod-trial.timer"].active == "active"


def test_a_trial_that_is_prolonged_ends_as_it_would_have_ended() -> None:
    bus, programs = on_trial(), Ran()
    LinuxCommands(bus, LinuxUnits(bus), programs).keep("a $b", 60)
    assert ("StopUnit", "vfiod-trial.timer", "replace") in bus.calls
    assert programs.argv[0] == "systemd-run"
    assert {"--unit=vfiod-trial", "--on-active=60s"} <= set(programs.argv)
    assert programs.argv[-len(ENDING) :] == ENDING


@pytest.mark.parametrize("seconds", [0, 60])
def test_a_trial_whose_time_is_over_is_not_said_to_be_kept(seconds: int) -> None:
    """The timer is active until what it began has ended."""
    bus, programs = on_trial(), Ran()
    bus.units["vfiod-trial.service"].active = "active"
    with pytest.raises(Refused, match="its guest is being shut down") as caught:
        LinuxCommands(bus, LinuxUnits(bus), programs).keep("a $b", seconds)
    assert caught.value.heading == "nothing was kept"
    assert programs.argv == []


@pytest.mark.parametrize("seconds", [0, 60])
def test_a_trial_whose_time_is_over_just_now_is_not_said_to_be_kept(
    seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus, programs = on_trial(), Ran()
    units = LinuxUnits(bus)

    def elapse(name: str, seconds: float) -> None:
        bus.units[name].active = "inactive"
        bus.units["vfiod-trial.service"].active = "active"

    monkeypatch.setattr(units, "stop", elapse)
    for _ in "once", "again":
        with pytest.raises(Refused, match="its guest is being shut down"):
            LinuxCommands(bus, units, programs).keep("a $b", seconds)
    assert programs.argv == []


def test_a_trial_of_another_guest_that_ends_is_not_this_one_s() -> None:
    bus = on_trial()
    bus.units["vfiod-trial.service"].active = "active"
    with pytest.raises(Refused, match="win10 is not on trial"):
        commands(bus).keep("win10", 0)


def test_a_trial_whose_end_systemd_does_not_know_stays_as_it_is() -> None:
    bus, programs = on_trial(), Ran()
    bus.units["vfiod-trial.service"].exec_start = []
    with pytest.raises(HostError, match="does not say how the trial would end"):
        LinuxCommands(bus, LinuxUnits(bus), programs).keep("a $b", 60)
    assert bus.units["vfiod-trial.timer"].active == "active"
    assert programs.argv == []


def test_a_trial_that_could_not_be_set_anew_is_told_to_be_over() -> None:
    bus, programs = on_trial(), Ran(HostError("systemd-run failed: Unit already exists"))
    with pytest.raises(HostError, match="the trial is over, and the guest stays") as caught:
        LinuxCommands(bus, LinuxUnits(bus), programs).keep("a $b", 60)
    assert "Unit already exists" in caught.value.message
    assert caught.value.hint.endswith("sudo vfiod return --shutdown 30")


@pytest.mark.parametrize(
    ("guest", "word"), [("win10", "win10"), ("-n $HOME ${HOME}", "-n $$HOME $${HOME}")]
)
def test_a_guest_s_name_is_no_variable_for_systemd(guest: str, word: str) -> None:
    programs = Ran(HostError("gone"))
    for ask in ("start", "shut_down", "destroy"):
        with pytest.raises(HostError):
            getattr(LinuxCommands(FakeBus(), cast(Any, None), programs), ask)(guest)
        assert programs.argv[-2:] == ["--", word]


def test_a_libvirt_that_does_not_answer_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise HostError("systemd-run failed: exit status 1")

    programs = Programs()
    monkeypatch.setattr(programs, "run", fail)
    commands = LinuxCommands(cast(Any, None), cast(LinuxUnits, None), programs)
    with pytest.raises(HostError, match="gave no answer within 90 s") as caught:
        commands.look()
    assert "journalctl -b -u vfiod-look-1-" in caught.value.hint


@pytest.mark.parametrize("session", ["gnome:wayland", "", "-x:x11", "$HOME:x11"])
def test_a_proposal_is_made_by_a_unit_of_its_own(
    monkeypatch: pytest.MonkeyPatch, session: str
) -> None:
    ran: list[list[str]] = []
    programs = Programs()
    monkeypatch.setattr(programs, "run", lambda argv, **_: ran.append(argv))
    LinuxCommands(cast(Any, None), cast(LinuxUnits, None), programs).propose_session(1000, session)
    (argv,) = ran
    words = [word.replace("$$", "$") for word in argv[argv.index(PROGRAM) + 1 :]]
    assert not any(re.search(r"(?<!\$)\$(?!\$)", word) for word in argv)
    arguments = parser().parse_args(words)
    assert (arguments.propose, arguments.user) == (session, 1000)
    assert "--wait" in argv[: argv.index(PROGRAM)]
