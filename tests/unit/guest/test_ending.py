"""Ending a guest by libvirt: there is an end to it, whatever libvirt, QEMU and the guest do."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import libvirt
import pytest

from vfiod.errors import HostError, NotAuthorized, TimedOut, UnknownGuest
from vfiod.guest import asking, ending

LIMIT = 1.0
INVALID = libvirt.VIR_ERR_OPERATION_INVALID


def error(code: int, said: str) -> libvirt.libvirtError:
    found = libvirt.libvirtError(said)
    found.err = (code, libvirt.VIR_FROM_QEMU, said, libvirt.VIR_ERR_ERROR, "", "", "", -1, -1)
    return found


def fail(code: int, said: str) -> Callable[[], object]:
    def do() -> None:
        raise error(code, said)

    return do


class Guest:
    """A guest of libvirt's, and what it is told. ``asked`` happens when it is to shut down."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.standing: list[int] = [libvirt.VIR_DOMAIN_RUNNING, 1]
        self.asked: Callable[[], object] = lambda: None
        self.looked_at: Callable[[], object] = lambda: None
        self.woken: Callable[[], object] = self.run

    def end(self) -> None:
        self.standing = [libvirt.VIR_DOMAIN_SHUTOFF, 1]

    def run(self) -> None:
        self.standing = [libvirt.VIR_DOMAIN_RUNNING, 1]

    # As libvirt calls them.

    def state(self) -> list[int]:
        return self.standing

    def isActive(self) -> bool:  # noqa: N802
        self.looked_at()
        return bool(self.standing[0] != libvirt.VIR_DOMAIN_SHUTOFF)

    def shutdown(self) -> None:
        self.told.append("shutdown")
        if self.standing[0] != libvirt.VIR_DOMAIN_RUNNING:
            raise error(INVALID, "Requested operation is not valid: domain is not running")
        self.asked()

    def resume(self) -> None:
        self.told.append("resume")
        self.woken()

    def pMWakeup(self, _flags: int = 0) -> None:  # noqa: N802
        self.told.append("wake up")
        self.woken()

    def destroy(self) -> None:
        self.told.append("destroy")
        if self.standing[0] == libvirt.VIR_DOMAIN_SHUTOFF:
            raise error(INVALID, "Requested operation is not valid: domain is not running")
        self.end()


class Connection:
    """A connection to a libvirt that has one guest."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    def lookupByName(self, name: str) -> Guest:  # noqa: N802
        if name != "win10":
            raise error(libvirt.VIR_ERR_NO_DOMAIN, f"no domain with matching name '{name}'")
        return self._guest


@pytest.fixture
def guest(monkeypatch: pytest.MonkeyPatch) -> Guest:
    found = Guest()
    for way in ("open", "openReadOnly"):
        monkeypatch.setattr(libvirt, way, lambda _uri: Connection(found))
    for module in (asking, ending):
        monkeypatch.setattr(module, "PAUSE", 0.01)
    monkeypatch.setattr(ending, "_REACH_SECONDS", 20.0)
    return found


def shut_down(name: str = "win10", seconds: float = LIMIT) -> list[str]:
    """What was said while it was shut down."""
    said: list[str] = []
    ending.shut_down(name, seconds=seconds, say=said.append)
    return said


# Within its time


def test_a_guest_that_shuts_down_is_left_alone(guest: Guest) -> None:
    guest.asked = guest.end
    assert shut_down(seconds=60) == []
    assert guest.told == ["shutdown"]


def test_a_guest_that_is_off_already_is_left_alone(guest: Guest) -> None:
    guest.end()
    assert shut_down(seconds=60) == []
    assert "destroy" not in guest.told


def test_a_guest_that_does_not_shut_down_is_stopped_hard(guest: Guest) -> None:
    began = time.monotonic()
    said = shut_down()
    assert time.monotonic() - began >= LIMIT
    assert guest.told == ["shutdown", "destroy"]
    assert said == ["win10 has not ended within 1 s: it is stopped hard"]


def test_a_qemu_that_hangs_is_stopped_hard_all_the_same(guest: Guest) -> None:
    """libvirt waits for its monitor's answer without an end (qemuMonitorSend)."""
    guest.asked = Event().wait
    said = shut_down()
    assert guest.told == ["shutdown", "destroy"]
    assert "libvirt has not answered within 1 s" in said[0]


def test_somebody_else_s_job_keeps_a_guest_from_being_asked_not_from_its_end(
    guest: Guest,
) -> None:
    """An error after 30 s, in which nothing was done (VIR_ERR_OPERATION_TIMEOUT)."""
    busy = "Timed out during operation: cannot acquire state change lock"
    guest.asked = fail(libvirt.VIR_ERR_OPERATION_TIMEOUT, busy)
    said = shut_down()
    assert guest.told[-1] == "destroy"
    assert guest.told.count("shutdown") > 1, "it is tried again"
    assert [text for text in said if busy in text] == [
        f"win10 was not asked to shut down yet: libvirt says: {busy}"
    ]


def test_once_that_job_is_over_the_guest_is_asked(guest: Guest) -> None:
    def asked() -> None:
        if guest.told.count("shutdown") < 3:
            raise error(libvirt.VIR_ERR_OPERATION_TIMEOUT, "Timed out during operation")
        guest.end()

    guest.asked = asked
    shut_down(seconds=60)
    assert "destroy" not in guest.told


def test_a_look_that_fails_ends_nothing_before_its_time(guest: Guest) -> None:
    guest.looked_at = fail(libvirt.VIR_ERR_RPC, "End of file while reading data")
    shut_down()
    assert guest.told == ["shutdown", "destroy"]


def test_who_may_not_is_told_at_once(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    denied = fail(libvirt.VIR_ERR_AUTH_FAILED, "authentication failed")
    monkeypatch.setattr(libvirt, "open", lambda _uri: denied())
    with pytest.raises(NotAuthorized):
        shut_down(seconds=60)


def test_a_guest_that_libvirt_has_not_is_told_at_once(guest: Guest) -> None:
    with pytest.raises(UnknownGuest):
        shut_down("win11", seconds=60)


# A guest that does not run just now

PAUSED, ASLEEP = libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PMSUSPENDED
UNKNOWN, BY_USER = libvirt.VIR_DOMAIN_PAUSED_UNKNOWN, libvirt.VIR_DOMAIN_PAUSED_USER
NEEDS_RESET = "unable to execute QEMU command 'cont': Resetting the Virtual Machine is required"


@pytest.mark.parametrize("reason", [UNKNOWN, BY_USER, libvirt.VIR_DOMAIN_PAUSED_IOERROR])
def test_a_paused_guest_goes_on_and_shuts_down(guest: Guest, reason: int) -> None:
    guest.standing, guest.asked = [PAUSED, reason], guest.end
    assert shut_down(seconds=60) == ["win10 was paused: it goes on now, to shut down"]
    assert guest.told == ["shutdown", "resume", "shutdown"]


def test_a_guest_that_sleeps_is_woken_up_and_shuts_down(guest: Guest) -> None:
    """It runs a little later than that (libvirt: qemuProcessHandleWakeup)."""

    def woken() -> None:
        if guest.told.count("wake up") > 2:
            guest.run()

    guest.standing, guest.asked, guest.woken = [ASLEEP, 0], guest.end, woken
    assert shut_down(seconds=60) == ["win10 was asleep: it is woken up, to shut down"]
    assert "destroy" not in guest.told


def test_one_that_goes_on_has_its_whole_time(guest: Guest) -> None:
    guest.standing = [PAUSED, BY_USER]
    began = time.monotonic()
    shut_down()
    assert time.monotonic() - began >= LIMIT
    assert guest.told == ["shutdown", "resume", "shutdown", "destroy"]


def test_one_that_cannot_go_on_just_now_has_its_whole_time(guest: Guest) -> None:
    """Its disk may be full still."""
    guest.standing = [PAUSED, libvirt.VIR_DOMAIN_PAUSED_IOERROR]
    guest.woken = fail(libvirt.VIR_ERR_OPERATION_FAILED, "no space")
    began = time.monotonic()
    said = shut_down()
    assert time.monotonic() - began >= LIMIT
    assert said[0] == "win10 was not asked to shut down yet: libvirt says: no space"
    assert guest.told[-1] == "destroy"


@pytest.mark.parametrize(
    ("standing", "woken"),
    [
        ([libvirt.VIR_DOMAIN_CRASHED, libvirt.VIR_DOMAIN_CRASHED_PANICKED], None),
        ([PAUSED, libvirt.VIR_DOMAIN_PAUSED_CRASHED], None),
        ([PAUSED, UNKNOWN], fail(libvirt.VIR_ERR_INTERNAL_ERROR, NEEDS_RESET)),
    ],
)
def test_one_that_never_goes_on_is_stopped_at_once(
    guest: Guest, standing: list[int], woken: Callable[[], object] | None
) -> None:
    guest.standing, guest.woken = standing, woken or guest.woken
    assert shut_down(seconds=60) == [
        "win10 has crashed and cannot shut down: it is stopped hard at once"
    ]
    assert guest.told[-1] == "destroy"


def test_what_libvirt_is_at_with_a_guest_is_left_alone(guest: Guest) -> None:
    guest.standing = [PAUSED, libvirt.VIR_DOMAIN_PAUSED_SAVE]
    shut_down()
    assert "resume" not in guest.told


def test_a_paused_guest_is_asked_by_the_service_too(guest: Guest) -> None:
    guest.standing = [PAUSED, BY_USER]
    ending.ask_to_shut_down("win10")
    assert guest.told == ["shutdown", "resume", "shutdown"]


def test_one_that_pauses_again_each_time_is_told_as_such(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the host's disk is full."""
    guest.standing, guest.woken = [PAUSED, BY_USER], lambda: None
    monkeypatch.setattr(asking, "_GOES_ON_SECONDS", 0.1)
    with pytest.raises(HostError) as told:
        ending.ask_to_shut_down("win10")
    assert "win10 was set going, and stands still again" in told.value.message
    assert "virsh" in told.value.hint
    assert "domstate --reason win10" in told.value.hint


def test_one_that_has_crashed_cannot_be_asked(guest: Guest) -> None:
    guest.standing = [libvirt.VIR_DOMAIN_CRASHED, 1]
    with pytest.raises(HostError) as told:
        ending.ask_to_shut_down("win10")
    assert told.value.message == "win10 has crashed and cannot shut down"
    assert told.value.hint == "force it off: sudo vfiod shutdown --force win10"
    assert "destroy" not in guest.told


# A libvirt that does not answer


@pytest.fixture
def mute(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> Guest:
    """Its daemon takes connections and says nothing."""
    for way in ("open", "openReadOnly"):
        monkeypatch.setattr(libvirt, way, lambda _uri: Event().wait())
    monkeypatch.setattr(ending, "_REACH_SECONDS", 0.2)
    return guest


def test_a_libvirt_that_says_nothing_is_an_error_after_the_time(mute: Guest) -> None:
    with pytest.raises(TimedOut) as told:
        shut_down()
    assert "libvirt gave no answer within" in told.value.message
    assert "systemctl status libvirtd virtqemud" in told.value.hint


def test_so_it_is_for_who_pulls_the_plug(mute: Guest) -> None:
    with pytest.raises(TimedOut):
        ending.destroy("win10")


def test_a_program_that_gave_up_on_libvirt_can_end(tmp_path: Path) -> None:
    """A thread of it waits for the daemon still, and so would the end of a connection."""
    path = tmp_path / "libvirt-sock"
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(path))
        daemon.listen()
        script = (
            "from vfiod.errors import TimedOut\nfrom vfiod.guest import connection, ending\n"
            f"connection.URI = 'qemu+unix:///system?socket={path}'\n"
            "ending._REACH_SECONDS = 0.2\n"
            "try: ending.shut_down('win10', seconds=0.2, say=print)\n"
            "except TimedOut as error: print(error)\n"
        )
        argv = [sys.executable, "-c", script]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert "libvirt gave no answer" in done.stdout


def test_a_guest_is_only_asked_where_that_is_wanted(guest: Guest) -> None:
    ending.ask_to_shut_down("win10")
    assert guest.told == ["shutdown"]


def test_one_that_is_off_cannot_be_asked(guest: Guest) -> None:
    guest.end()
    with pytest.raises(HostError, match="win10 does not run"):
        ending.ask_to_shut_down("win10")


def test_the_plug_of_one_that_is_off_is_no_error(guest: Guest) -> None:
    guest.end()
    ending.destroy("win10")
