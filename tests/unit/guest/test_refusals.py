"""What a person reads when libvirt refuses: a hint only where it is true."""

import errno
from threading import Event
from typing import Any

import libvirt
import pytest

from vfiod.errors import HostError, NotAuthorized, UnknownGuest, VfiodError
from vfiod.guest import connection, ending


class _Fails:
    """Stands for a connection and for a guest: every call fails."""

    def __init__(self, error: libvirt.libvirtError) -> None:
        self._error = error

    def lookupByName(self, _name: str) -> "_Fails":  # noqa: N802
        return self

    def __getattr__(self, _name: str) -> Any:
        raise self._error


def _error(code: int, said: str, number: int = -1) -> libvirt.libvirtError:
    error = libvirt.libvirtError("")
    error.err = (code, libvirt.VIR_FROM_NONE, said, libvirt.VIR_ERR_ERROR, "", "", "", number, -1)
    return error


def _told(monkeypatch: pytest.MonkeyPatch, code: int, said: str) -> VfiodError:
    """By a libvirt that answers."""
    for way in ("open", "openReadOnly"):
        monkeypatch.setattr(libvirt, way, lambda _uri: _Fails(_error(code, said)))
    with pytest.raises(VfiodError) as told:
        ending.destroy("win10")
    return told.value


def _not_let_in(monkeypatch: pytest.MonkeyPatch, error: libvirt.libvirtError) -> VfiodError:
    def refuse(_uri: str) -> None:
        raise error

    for way in ("open", "openReadOnly"):
        monkeypatch.setattr(libvirt, way, refuse)
    with pytest.raises(VfiodError) as told:
        ending.destroy("win10")
    return told.value


def test_a_qemu_that_sigkill_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "Failed to terminate process 4711 with SIGKILL: Device or resource busy"
    told = _told(monkeypatch, libvirt.VIR_ERR_SYSTEM_ERROR, said)
    assert str(told) == (
        f"libvirt says: {said}\n"
        "    its QEMU waits in the kernel and cannot be ended now; vfiod takes the devices back as "
        "soon as it ends\n"
        "    if it does not end: sudo systemctl reboot"
    )


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (libvirt.VIR_ERR_OPERATION_INVALID, "network 'default' is not active"),
        (libvirt.VIR_ERR_INTERNAL_ERROR, "qemu unexpectedly closed the monitor"),
        (libvirt.VIR_ERR_SYSTEM_ERROR, "cannot open file '/vm/disk': No such file or directory"),
    ],
)
def test_what_nobody_knows_a_remedy_for_has_no_hint(
    monkeypatch: pytest.MonkeyPatch, code: int, said: str
) -> None:
    monkeypatch.setattr(libvirt, "open", lambda _uri: _Fails(_error(code, said)))
    with pytest.raises(HostError) as told:
        connection.start("win10")
    assert str(told.value) == f"libvirt says: {said}"


def test_a_guest_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    told = _told(monkeypatch, libvirt.VIR_ERR_NO_DOMAIN, "Domain not found")
    assert isinstance(told, UnknownGuest)
    assert told.hint == "all guests: virsh --connect qemu:///system list --all"


def test_a_daemon_that_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "Failed to connect socket to '/run/libvirt/libvirt-sock': No such file or directory"
    error = _error(libvirt.VIR_ERR_SYSTEM_ERROR, said, errno.ENOENT)
    told = _not_let_in(monkeypatch, error)
    assert isinstance(told, HostError)
    assert told.hint == "see that libvirt runs: systemctl status libvirtd virtqemud"


@pytest.mark.parametrize(
    ("code", "number"),
    [(libvirt.VIR_ERR_AUTH_FAILED, -1), (libvirt.VIR_ERR_SYSTEM_ERROR, errno.EACCES)],
)
def test_who_is_not_let_in(monkeypatch: pytest.MonkeyPatch, code: int, number: int) -> None:
    told = _not_let_in(monkeypatch, _error(code, "Permission denied", number))
    assert isinstance(told, NotAuthorized)
    assert told.hint == "run the same command with sudo"


def test_an_agent_of_a_libvirt_that_is_away_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_uri: str) -> None:
        raise _error(libvirt.VIR_ERR_NO_CONNECT, "no connection")

    monkeypatch.setattr(libvirt, "open", refuse)
    assert not connection.answers("win10")


def test_nor_does_that_of_one_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libvirt, "open", lambda _uri: Event().wait())
    monkeypatch.setattr(connection, "_AGENT_SECONDS", 0.1)
    assert not connection.answers("win10")


def test_what_the_hook_said(monkeypatch: pytest.MonkeyPatch) -> None:
    said = (
        "Hook script execution failed: internal error: Child process (LC_ALL=C "
        "/etc/libvirt/hooks/qemu win10 prepare begin -) unexpected exit status 1: vfiod: no"
    )
    assert str(_told(monkeypatch, libvirt.VIR_ERR_HOOK_SCRIPT_FAILED, said)) == "no"
