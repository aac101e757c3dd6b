"""vfiod return: which guests it leaves alone."""

import socket
from collections.abc import Iterator
from contextlib import nullcontext
from typing import ClassVar

import pytest

from vfiod.cli import main as cli
from vfiod.errors import Busy, HostError, Refused, UnknownGuest, VfiodError
from vfiod.guest import connection, ending


class Daemon:
    """A guest has the devices; remembers whether they were asked for."""

    asked = False
    forced: ClassVar[list[str]] = []
    forcing_fails: VfiodError | None = None
    busy = False

    def __init__(self, _bus: object) -> None:
        Daemon.asked = False

    def status(self) -> dict[str, str]:
        return {"guest": "win10"}

    def return_devices(self, *, force: bool) -> None:
        Daemon.asked = True
        if Daemon.busy:
            raise Busy("win10 is running", "have it stopped hard: sudo vfiod return --destroy")

    def force_off(self, guest: str) -> None:
        Daemon.forced.append(guest)
        if Daemon.forcing_fails is not None:
            raise Daemon.forcing_fails


@pytest.fixture(autouse=True)
def daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vfiod.bus.connection.Bus", object)
    monkeypatch.setattr("vfiod.cli.client.Client", Daemon)
    monkeypatch.setattr(Daemon, "forced", [])
    monkeypatch.setattr("vfiod.cli.progress.shown", lambda _client: nullcontext())
    monkeypatch.setattr(connection, "answers", lambda _name: False)


@pytest.fixture
def listening() -> Iterator[str]:
    """HOST:PORT where somebody accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def silent() -> str:
    """HOST:PORT where nobody does any more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("more", [[], ["--unless-answering"]])
def test_a_guest_that_answers_at_its_port_keeps_the_devices(
    listening: str, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["return", "--port", listening, *more]) == 0
    assert not Daemon.asked
    assert "win10 answers: it keeps the devices." in capsys.readouterr().out


def test_a_guest_that_is_silent_there_gives_them_back(silent: str) -> None:
    assert cli.main(["return", "--port", silent]) == 0
    assert Daemon.asked


@pytest.mark.parametrize(("guest", "alone"), [("win10", False), ("win11", True)])
def test_who_is_not_meant_keeps_the_devices(
    *, guest: str, alone: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended: list[str] = []
    monkeypatch.setattr(ending, "shut_down", lambda name, **_: ended.append(name))
    assert cli.main(["return", "--shutdown", "30", f"--from={guest}"]) == 0
    assert (Daemon.asked, ended) == (not alone, [] if alone else ["win10"])
    said = "win10 has the devices, not win11: nothing is done."
    assert (said in capsys.readouterr().out) == alone


@pytest.mark.parametrize(("asked", "alone"), [(["--unless-answering"], True), ([], False)])
def test_an_agent_that_answers_counts_only_if_asked_about(
    *, asked: list[str], alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "answers", lambda _name: True)
    assert cli.main(["return", *asked]) == 0
    assert Daemon.asked != alone


@pytest.mark.parametrize("seconds", ["-5", "-0.1", "nan", "inf", "-inf", "soon"])
@pytest.mark.parametrize("words", [["return", "--shutdown"], ["try", "win10", "--for"]])
def test_a_time_that_is_none_is_wrong_usage(
    words: list[str], seconds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A guest would have no time at all, and lose its plug at once."""
    *before, option = words
    Daemon.asked = False
    with pytest.raises(SystemExit) as ended:
        cli.main([*before, f"{option}={seconds}"])
    assert ended.value.code == 2
    assert "seconds" in capsys.readouterr().err
    assert not Daemon.asked


def test_a_guest_has_the_time_that_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[str, float]] = []
    monkeypatch.setattr(
        ending, "shut_down", lambda guest, *, seconds, say: given.append((guest, seconds))
    )
    assert cli.main(["return", "--shutdown", "0.5"]) == 0
    assert given == [("win10", 0.5)]


@pytest.mark.parametrize("how", [["--destroy"], ["--shutdown", "30"]])
@pytest.mark.parametrize(
    "error",
    [HostError("cannot connect to libvirt"), UnknownGuest("libvirt has no guest 'win10'")],
)
def test_a_libvirt_that_cannot_end_it_keeps_nobody_from_asking(
    how: list[str],
    error: VfiodError,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The package's removal names these forms; the service gives none back that a guest has."""

    def fail(_name: str, **_how: object) -> None:
        raise error

    monkeypatch.setattr(ending, "destroy", fail)
    monkeypatch.setattr(ending, "shut_down", fail)
    assert cli.main(["return", *how]) == 0
    assert Daemon.asked
    said = capsys.readouterr()
    assert error.message in said.err
    if isinstance(error, UnknownGuest) and how[0] == "--shutdown":
        assert Daemon.forced == [], "it has had no time to shut down"
        return
    assert Daemon.forced == ["win10"], "the service ends it without libvirt"
    assert "libvirt did not end win10: its QEMU is ended without it" in said.out


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """libvirt is, and a guest keeps its devices."""

    def fail(_name: str) -> None:
        raise HostError("cannot connect to libvirt")

    monkeypatch.setattr(ending, "destroy", fail)
    monkeypatch.setattr(Daemon, "busy", True)


def test_who_has_asked_for_a_hard_stop_is_not_told_to_ask_for_one(
    away: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = HostError("its QEMU waits in the kernel", "reboot")
    monkeypatch.setattr(Daemon, "forcing_fails", error)
    assert cli.main(["return", "--destroy"]) == HostError.exit_code
    said = capsys.readouterr().err
    assert str(error) in said
    assert "--destroy" not in said


def test_a_guest_that_is_not_seen_is_told_of_by_the_return(
    away: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Daemon, "forcing_fails", Refused([VfiodError("nobody has them")]))
    assert cli.main(["return", "--destroy"]) == Busy.exit_code


def test_a_guest_that_libvirt_ends_is_not_ended_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "destroy", lambda _name: None)
    assert cli.main(["return", "--destroy"]) == 0
    assert Daemon.forced == []
