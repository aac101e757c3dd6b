"""The system bus goes away in the middle, or leaves one question unanswered."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gi.repository import Gio, GLib

from tests.fakes import pcs
from tests.fakes.rig import Rig
from tests.scenarios.test_late import DM, WITH_REBOOT
from vfiod.bus.errors import translate
from vfiod.errors import HostError, Stuck
from vfiod.events import Kind
from vfiod.handoff.recovery.patience import MOMENT, Patience
from vfiod.model import Phase

CLOSED = "The connection is closed"
GOES_ON = "vfiod ends with the system bus, is started anew with it, and goes on by itself then"


def failed(code: Gio.IOErrorEnum, text: str) -> HostError:
    """What a call comes to that Gio says this of."""
    error = GLib.Error.new_literal(Gio.io_error_quark(), text, code)
    return translate(error, "org.freedesktop.systemd1", "StartUnit")


def answerless(name: str) -> HostError:
    """What a call comes to that the bus answers with this error."""
    error = Gio.DBusError.new_for_dbus_error(f"org.freedesktop.DBus.Error.{name}", "gone")
    return translate(error, "org.freedesktop.systemd1", "StartUnit")


class Door:
    """A door whose other side is on the bus."""

    def __init__(self, door: Any, fault: Callable[[], HostError | None]) -> None:
        self._door, self._fault = door, fault

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._door, name)
        if name == "is_cleaned_up":  # a look at libvirt's files
            return real

        def call(*arguments: Any, **named: Any) -> Any:
            if (fault := self._fault()) is not None:
                raise fault
            return real(*arguments, **named)

        return call if callable(real) else real


class Bus:
    """The bus of a rig: how many of the next calls fail, and of what."""

    def __init__(self, rig: Rig) -> None:
        self.fault: HostError | None = None
        self.times = 0
        for name in ("units", "logins", "guests"):
            setattr(rig.host, name, Door(getattr(rig.host, name), self._next))

    def close(self) -> None:
        self.fault, self.times = failed(Gio.IOErrorEnum.CLOSED, CLOSED), 10**6

    def _next(self) -> HostError | None:
        self.times -= 1
        return self.fault if self.times >= 0 else None


@pytest.fixture
def bus(rig: Rig) -> Bus:
    return Bus(rig)


def come_back(rig: Rig, bus: Bus) -> None:
    """The bus is started again, and the daemon with it."""
    bus.times = 0
    rig.host.libvirt.clean_up()
    assert rig.recover() is None
    rig.pass_time(60)  # until the second look, which sees what libvirt has wiped meanwhile
    assert rig.differences() == {}


def test_a_bus_that_goes_away_before_libvirt_is_done_with_the_guest(rig: Rig, bus: Bus) -> None:
    rig.host.user.kill(rig.start())
    bus.close()
    rig.watcher.look()
    rig.queue.run_all()
    come_back(rig, bus)


@pytest.mark.parametrize("moment", [f"probe {pcs.VGA}", f"start {DM}"])
def test_a_bus_that_goes_away_during_a_return(rig: Rig, bus: Bus, moment: str) -> None:
    pid = rig.start()
    rig.host.effects.barrier = lambda name: bus.close() if name == moment else None
    rig.end_guest(pid)
    rig.host.effects.barrier = lambda _name: None
    come_back(rig, bus)


def test_a_bus_that_goes_away_during_a_handoff(rig: Rig, bus: Bus) -> None:
    rig.host.effects.barrier = lambda name: bus.close() if name.startswith("unbind") else None
    stuck = rig.prepare()
    rig.host.effects.barrier = lambda _name: None
    assert isinstance(stuck, Stuck)
    assert GOES_ON in stuck.message
    come_back(rig, bus)


def test_who_goes_on_by_themselves_do_not_reboot(run_directory: Path) -> None:
    rig = Rig(pcs.desktop(), run_directory, WITH_REBOOT)
    bus = Bus(rig)
    pid = rig.start()
    bus.close()
    rig.host.kernel.devices[pcs.VGA].cure = "nothing"
    rig.end_guest(pid)
    assert rig.phase is Phase.STUCK
    (told,) = rig.messages(Kind.STUCK)
    assert GOES_ON in told
    assert "does not go on by itself" not in told
    assert "reboot" not in rig.host.effects.log


# One question without an answer


@pytest.mark.parametrize("name", ["NoReply", "ServiceUnknown", "NameHasNoOwner"])
@pytest.mark.parametrize("moment", [f"probe {pcs.VGA}", f"start {DM}"])
def test_a_systemd_that_gives_no_answer_for_once_is_asked_again(
    rig: Rig, bus: Bus, moment: str, name: str
) -> None:
    def fail(now: str) -> None:
        if now == moment:
            bus.fault, bus.times = answerless(name), 1
            rig.host.effects.barrier = lambda _name: None

    pid = rig.start()
    rig.host.effects.barrier = fail
    rig.end_guest(pid)
    rig.pass_time(60)
    assert rig.differences() == {}
    assert rig.messages(Kind.STUCK) == []


def test_a_systemd_that_gives_no_answer_is_asked_once_more_and_no_more(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = rig.start()
    asked: list[float] = []

    def refuse(unit: str, *, seconds: float) -> Any:
        asked.append(rig.host.now())
        raise answerless("NoReply")

    monkeypatch.setattr(rig.host.units, "start", refuse)
    rig.end_guest(pid)
    assert rig.phase is Phase.STUCK
    first, again = asked
    assert again - first == pytest.approx(MOMENT, abs=1)
    monkeypatch.undo()
    assert rig.return_devices() is None
    assert rig.differences() == {}


def test_who_refuses_is_not_asked_again(rig: Rig) -> None:
    refused = [SimpleNamespace(error=HostError("systemd refused StartUnit: it is masked"))]
    began = rig.host.now()
    assert Patience(rig.host).settle(refused, list) == refused
    assert rig.host.now() == began
