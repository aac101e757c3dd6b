"""No device leaves vfio-pci before libvirt is done with the guest, and nothing waits for ever."""

import pytest

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from vfiod.errors import TimedOut
from vfiod.handoff.steps.libvirt import AwaitLibvirt

SECONDS = 30.0
STEP = AwaitLibvirt(pcs.UUID, SECONDS)


@pytest.fixture
def ended() -> FakeHost:
    """A PC whose guest has just ended, unseen by libvirt so far."""
    host = pcs.bare()
    host.libvirt.began(pcs.UUID, 7, pcs.DEVICES)
    host.libvirt.qemu_ended(7)
    return host


def waited(host: FakeHost) -> tuple[float, list[str]]:
    began = host.now()
    notes = list(STEP.undo(host, {}))
    return host.now() - began, notes


def test_it_waits_for_the_clean_up_and_no_longer(ended: FakeHost) -> None:
    assert waited(ended) == (1.5, [])


def test_a_guest_that_libvirt_never_started_is_not_waited_for() -> None:
    assert waited(pcs.bare()) == (0, [])


def test_a_daemon_that_does_not_run_is_started_first(ended: FakeHost) -> None:
    ended.libvirt.runs = False
    assert waited(ended) == (1.5, [])
    assert ended.effects.log == ["wake libvirt"]


def test_one_that_cannot_be_started_is_not_waited_for(ended: FakeHost) -> None:
    ended.libvirt.runs = ended.libvirt.starts = False
    seconds, (note,) = waited(ended)
    assert seconds == 0
    assert "does not run and cannot be started: going on without it" in note
    assert "vfiod status" in note


def test_one_that_hangs_is_waited_for_so_long_and_named(ended: FakeHost) -> None:
    ended.libvirt.hangs = True
    seconds, (note,) = waited(ended)
    assert seconds == SECONDS
    assert "has not cleaned up after the guest within 30 s: going on without it" in note


@pytest.mark.parametrize("door", ["wake_libvirt", "libvirt_runs"])
@pytest.mark.parametrize("runs", [True, False])
def test_a_systemd_that_is_executed_anew_is_no_reason_to_go_on(
    ended: FakeHost, monkeypatch: pytest.MonkeyPatch, *, door: str, runs: bool
) -> None:
    ended.libvirt.runs = runs
    ask, answers_from = getattr(ended.guests, door), ended.now() + 1
    ended.clock.after(1, lambda: None)  # somebody looks then

    def fail() -> object:
        if ended.now() < answers_from:
            raise TimedOut("no answer to org.freedesktop.systemd1.Manager.ListUnitsByNames in time")
        return ask()

    monkeypatch.setattr(ended.guests, door, fail)
    seconds, notes = waited(ended)
    assert ended.libvirt.guests == {}
    assert 1.5 <= seconds < 5
    assert notes == []


def test_a_systemd_that_never_answers_costs_the_deadline_and_no_more(
    ended: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> bool:
        raise TimedOut("no answer in time")

    monkeypatch.setattr(ended.guests, "libvirt_runs", fail)
    ended.libvirt.hangs = True
    seconds, (note,) = waited(ended)
    assert seconds == SECONDS
    assert "has not cleaned up after the guest within 30 s" in note


def test_on_the_way_out_it_does_nothing() -> None:
    host = pcs.bare()
    assert STEP.apply(host) == ()
    assert host.effects.log == []
