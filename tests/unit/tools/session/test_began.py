"""A session that began by itself starts no guest: it would begin again after each return."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from vfiod.bus.connection import Bus
from vfiod.bus.errors import BusError
from vfiod.errors import Refused
from vfiod.tools.session import began
from vfiod.tools.session.began import Began, require_person

AT = 1_700_000_000
UNITS = ("display-manager.service", "getty@tty7.service", "ly@tty7.service",
         "kmsconvt@tty7.service")  # fmt: skip


class Logind(Bus):
    """logind's word on this process's session, and systemd's on what shows the login screen."""

    def __init__(self, started: Sequence[float], **session: Any) -> None:
        self._session = {"Service": "gdm-password", "Timestamp": AT * 1_000_000, "VTNr": 7,
                         "Active": True, **session}  # fmt: skip
        self._started = dict(zip(UNITS, started, strict=False))

    def get(self, service: str, path: str, prop: str) -> Any:
        assert (service, path) == (
            "org.freedesktop.login1",
            "/org/freedesktop/login1/session/self",
        )
        found = self._session[prop.rpartition(".")[2]]
        if found is None:
            raise BusError("Caller does not belong to any known session", "org.x.NoSuchSession")
        return found

    def call(self, service: str, path: str, method: str, signature: str = "", *values: Any,
             seconds: float = 10) -> Any:  # fmt: skip
        assert method.endswith(".LoadUnit")
        return values

    def get_each(
        self, service: str, paths: Sequence[str], interface: str, names: Sequence[str]
    ) -> Sequence[Mapping[str, Any] | None]:
        return [self._unit(name) for name in paths]

    def _unit(self, name: str) -> Mapping[str, Any]:
        changed = self._started.get(name)
        active = "inactive" if changed is None else "active"
        return {"Id": name, "LoadState": "loaded", "ActiveState": active, "UnitFileState": "",
                "CanStart": True, "CanStop": True,
                "StateChangeTimestamp": int((changed or 0) * 1_000_000)}  # fmt: skip


@pytest.mark.parametrize("service", ["gdm-autologin", "lightdm-autologin", "sddm-autologin"])
def test_an_automatic_login_is_nobody(service: str) -> None:
    with pytest.raises(Refused) as caught:
        require_person(began.read(Logind([AT - 3000], Service=service)), "win10")
    assert f"began by itself, by {service}" in str(caught.value)
    assert "let the automatic login begin a desktop" in str(caught.value)


QUICK = (
    [AT - 1], [AT - 3000, AT - 0.2], [AT - 4.9], [AT - 3000, AT - 3000, AT - 0.2],
    [AT - 3000, AT - 3000, AT - 3000, AT - 1],
)  # fmt: skip


@pytest.mark.parametrize("started", QUICK)
def test_nobody_is_that_quick(started: Sequence[float]) -> None:
    with pytest.raises(Refused, match="nobody chose win10"):
        require_person(began.read(Logind(started, Service="login")), "win10")


@pytest.mark.parametrize("started", [[AT - 5], [AT - 3000, AT - 8], [], [AT + 60]])
def test_a_person_may_start_it(started: Sequence[float]) -> None:
    require_person(began.read(Logind(started)), "win10")


def test_a_session_that_is_logind_s_not_is_somebody_s_own_command() -> None:
    bus = Logind([AT - 1], Service=None, Active=None)
    assert began.read(bus) == Began()
    require_person(began.read(bus), "win10")
    assert began.is_active(bus)


@pytest.mark.parametrize("active", [True, False])
def test_who_has_the_screen(*, active: bool) -> None:
    assert began.is_active(Logind([], Active=active)) is active
