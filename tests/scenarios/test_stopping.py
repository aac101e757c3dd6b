"""The service is stopped, or the host shuts down, while a guest is being started."""

from collections.abc import Callable
from concurrent.futures import Future
from itertools import count
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.rig import Rig
from vfiod.errors import Busy
from vfiod.events import Kind
from vfiod.handoff.tasks import Start
from vfiod.host.goodbye import Answer, Outcome
from vfiod.model import Phase

Stop = Callable[[Rig], object]
SOON = 1.0
WAITS = Answer(Outcome.UNANSWERED, ("gedit (unsaved)",))


def service(rig: Rig) -> object:
    return rig.manager.tasks.close()


def host(rig: Rig) -> object:
    rig.host.user.shutting_down = True
    return rig


STOPS = [
    pytest.param(service, "the vfiod service is being stopped", id="service"),
    pytest.param(host, "the host is shutting down", id="host"),
]


def asking(directory: Path, policy: str) -> Rig:
    """A PC whose people are asked, one of whom has something open that keeps them."""
    text = f"sessions: {policy}\nlimits: {{goodbye: 180}}\n{pcs.configuration()}"
    rig = Rig(pcs.desktop(), directory, text)
    rig.host.goodbyes.answers["log out", "alice"] = WAITS
    return rig


def at_effect(rig: Rig, number: int, stop: Stop, begun: Kind = Kind.HANDOFF_BEGUN) -> list[int]:
    """Stop at this effect after that beginning; how much had been told then, if it came to it."""
    done: list[int] = []
    numbers = count(1)

    def watch(_name: str) -> None:
        if begun in {event.kind for event in rig.events} and next(numbers) == number:
            done.append(len(rig.events))
            stop(rig)

    rig.host.effects.barrier = watch
    return done


def people(rig: Rig) -> list[str]:
    return [s.user for s in rig.host.logins.sessions() if s.is_person]


@pytest.mark.parametrize("policy", ["log-out", "refuse-unsaved"])
@pytest.mark.parametrize(("seconds", "asked"), [(5, "announce"), (100, "log out")])
@pytest.mark.parametrize(("stop", "why"), STOPS)
def test_people_who_are_asked_are_left_alone_at_once(
    run_directory: Path, stop: Stop, why: str, seconds: float, asked: str, policy: str
) -> None:
    rig = asking(run_directory, policy)
    future, began = rig.manager.prepare("win10", pcs.xml()), rig.host.now()
    rig.host.clock.after(seconds, lambda: stop(rig))
    rig.queue.run_all()
    error = future.exception(0)
    assert isinstance(error, Busy)
    assert error.message == f"win10 was not started: {why}"
    assert "the host has its devices" in error.hint
    assert rig.host.now() - began <= seconds + SOON
    assert rig.host.goodbyes.asked[-1] == f"{asked} alice"
    assert rig.host.goodbyes.taken_back == [f"{asked} alice"]
    assert people(rig) == ["alice"]
    assert rig.differences() == {}
    assert Kind.STEP_FAILED not in {event.kind for event in rig.events}
    assert why in rig.events[-1].message


@pytest.mark.exhaustive
@pytest.mark.parametrize(("stop", "why"), STOPS)
def test_wherever_it_comes_in_a_start_no_step_is_begun_after_it(
    run_directory: Path, stop: Stop, why: str
) -> None:
    for number in count(1):
        rig = Rig(pcs.desktop(), run_directory)
        done = at_effect(rig, number, stop)
        error = rig.prepare()
        if not done:
            assert error is None
            return
        assert isinstance(error, Busy), number
        assert error.message == f"win10 was not started: {why}"
        ended = [e for e in rig.events[done[0] :] if e.kind is Kind.STEP_DONE]
        onward = [e.message for e in ended if e.fields.get("DIRECTION") == "handoff"]
        assert len(onward) <= 1, number  # which was under way
        assert rig.phase is Phase.HOST, number
        left = rig.differences()
        # A host that goes down needs no display manager any more.
        assert left == {} or (stop is host and left.keys() <= {"units", "processes"}), number


def test_no_desktop_ends_after_it(run_directory: Path) -> None:
    for stop in (service, host):
        rig = Rig(pcs.desktop(), run_directory)
        done = at_effect(rig, 2, stop)
        rig.prepare()
        assert done
        assert people(rig) == ["alice"]
        assert "stop lightdm.service" not in rig.host.effects.log


def test_a_return_under_way_is_never_broken_off(run_directory: Path) -> None:
    for number in count(1):
        rig = Rig(pcs.desktop(), run_directory)
        pid = rig.start()
        done = at_effect(rig, number, service, Kind.RETURN_BEGUN)
        rig.end_guest(pid)
        if not done:
            return
        assert rig.differences() == {}, number


def test_nor_is_the_undoing_of_a_start(run_directory: Path) -> None:
    rig = Rig(pcs.desktop(), run_directory)
    future = rig.manager.prepare("win10", pcs.xml())
    moments = iter(("stop lightdm.service", "start lightdm.service"))
    wanted = [next(moments)]

    def watch(name: str) -> None:
        if name in wanted:
            wanted[0] = next(moments, "")
            rig.manager.give_up(future) if wanted[0] else service(rig)

    rig.host.effects.barrier = watch
    rig.queue.run_all()
    assert isinstance(future.exception(0), Busy)
    assert wanted == [""]
    assert rig.differences() == {}


def test_a_start_that_comes_after_it_is_told_why(rig: Rig) -> None:
    queued, late = Start("win10"), Start("win10")
    promise = rig.manager.prepare("win10", pcs.xml(), queued)
    service(rig)
    assert promise.cancelled()
    assert rig.manager.prepare("win10", pcs.xml(), late).cancelled()
    rig.queue.run_all()
    for start in (queued, late):
        assert start.refusal.message == "win10 was not started: the vfiod service is being stopped"
        assert "systemctl status vfiod" in start.refusal.hint
    assert rig.host.effects.log == []


def test_a_rehearsal_ends_as_well(run_directory: Path) -> None:
    rig = Rig(pcs.desktop(), run_directory)
    done = at_effect(rig, 2, service)
    error = rig.rehearse()
    assert done
    assert isinstance(error, Busy)
    assert error.message == "win10 was not rehearsed: the vfiod service is being stopped"
    assert people(rig) == ["alice"]
    assert rig.differences() == {}


def test_a_rehearsal_is_no_start_that_libvirt_could_give_up(run_directory: Path) -> None:
    """The hook of a guest that runs without its devices tells of its end."""
    rig = Rig(pcs.desktop(), run_directory)
    done = at_effect(rig, 2, lambda it: it.manager.release("win10", "shutdown"))
    future: Future[None] = rig.manager.rehearse("win10", pcs.xml(), keep_desktop=False)
    rig.queue.run_all()
    assert done
    assert future.exception(0) is None
