"""What a caller is told whom polkit has not allowed it, and why."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from vfiod.bus.errors import BusError, Ended
from vfiod.daemon import rights
from vfiod.daemon.authority import Authority
from vfiod.errors import HostError, NotAuthorized, TimedOut

ALICE = ":1.5"
Then = Callable[[Any, HostError | None], None]


class Polkit:
    """A bus on which polkit answers each question with the same."""

    def __init__(self, values: Any = None, error: HostError | None = None) -> None:
        self.answer = (values, error)
        self.calls: list[tuple[str, Sequence[Any], float]] = []

    def uid_of(self, sender: str) -> int:
        """Of one who is not root."""
        return 1000 if sender == ALICE else 0

    def call_later(
        self, _service: str, _path: str, method: str, _signature: str, arguments: Sequence[Any],
        then: Then, *, seconds: float,
    ) -> None:  # fmt: skip
        """Answer at once."""
        self.calls.append((method.rpartition(".")[2], arguments, seconds))
        then(*self.answer)

    @property
    def cancelled(self) -> list[str]:
        """Questions that nobody waits for any more."""
        return [values[0] for name, values, _ in self.calls if name == "CancelCheckAuthorization"]

    @property
    def asked(self) -> list[str]:
        """How they were called."""
        return [values[-1] for name, values, _ in self.calls if name == "CheckAuthorization"]


def ask(polkit: Polkit, sender: str = ALICE) -> str:
    """What the caller is told."""
    told: list[str] = []
    authority = Authority(cast("Any", polkit))

    def denied(error: NotAuthorized) -> None:
        told.append(str(error))

    for _ in range(2):
        authority.ask(sender, rights.START, lambda: told.append("allowed"), denied)
    first, second = told
    assert first == second
    return first


def test_a_no_is_a_no() -> None:
    polkit = Polkit(values=((False, False, {}),))
    assert ask(polkit) == "you may not start a guest\n    run it as root, or with sudo"
    assert polkit.cancelled == []


def test_a_yes_is_a_yes() -> None:
    assert ask(Polkit(values=((True, False, {}),))) == "allowed"


def test_root_is_not_asked_about() -> None:
    polkit = Polkit()
    assert ask(polkit, ":1.1") == "allowed"
    assert polkit.calls == []


MASKED = BusError(
    "polkit.service (org.freedesktop.PolicyKit1) does not answer on the system bus: "
    "Unit polkit.service is masked.",
    "org.freedesktop.systemd1.UnitMasked",
    "see: systemctl status polkit.service",
)


def test_a_polkit_that_is_not_there_has_said_nothing() -> None:
    polkit = Polkit(error=MASKED)
    assert ask(polkit).splitlines() == [
        f"whether you may start a guest is not known: {MASKED.message}",
        "    see: systemctl status polkit.service",
        "    run it as root, or with sudo",
    ]
    assert polkit.cancelled == []


def test_a_password_that_comes_too_late_is_not_asked_for_any_more() -> None:
    polkit = Polkit(error=TimedOut("no answer to CheckAuthorization in time", "see: polkit"))
    assert ask(polkit).splitlines() == [
        "whether you may start a guest is not known: no answer to CheckAuthorization in time",
        "    try again: a password is waited for 120 s",
        "    run it as root, or with sudo",
    ]
    assert len(set(polkit.asked)) == 2
    assert polkit.cancelled == polkit.asked


@pytest.mark.parametrize("error", [MASKED, Ended("polkit.service ended before it answered")])
def test_nobody_is_started_to_be_told_that_nobody_waits(error: HostError) -> None:
    polkit = Polkit(error=error)
    assert "is not known" in ask(polkit)
    assert polkit.cancelled == []
