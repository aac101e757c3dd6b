"""The loop over steps, with everything going wrong at every point of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import KILLS, Fault, Killed
from tests.fakes.host import FakeHost
from tests.fakes.rig import Rig, WatchedJournal, is_killed
from tests.fakes.userspace import FakeUnit
from vfiod.errors import HostError, Stuck
from vfiod.events import Event, Kind
from vfiod.handoff import transaction
from vfiod.handoff.journal import Entry, Record
from vfiod.handoff.steps.base import Step
from vfiod.handoff.steps.desktop import StopUnit
from vfiod.handoff.steps.devices import Detach, KeepAwake
from vfiod.handoff.steps.displaymanager import StopDisplayManager
from vfiod.handoff.steps.support import Inhibit
from vfiod.model import Phase

RECORD = Record("t1", "win10", pcs.UUID, pcs.DEVICES, (10, 11), Phase.HANDOFF, 1000.0)
UNITS = ("one.service", "two.service", "three.service")


class Run:
    """A PC with three units and the steps that stop them."""

    def __init__(self, directory: Path) -> None:
        self.host = pcs.bare()
        for name in UNITS:
            self.host.user.add(FakeUnit(name))
        self.journal = WatchedJournal(directory / "journal.json", self.host.effects)
        self.journal.begin(RECORD)
        self.host.effects.log.clear()
        self.events: list[Event] = []
        self.steps: list[Step] = [StopDisplayManager(name, (), 20) for name in UNITS]

    def run(self) -> None:
        transaction.run(self.steps, self.host, self.journal, self.events.append)

    def roll_back(self) -> None:
        transaction.roll_back(self.host, self.journal, self.events.append)

    def did(self) -> list[str]:
        """What was done to the host, without the journal's part."""
        return [name for name in self.host.effects.log if not name.startswith("journal")]

    def entries(self) -> Sequence[Entry]:
        record = self.journal.read()
        assert record is not None
        return record.entries

    def told(self, kind: Kind) -> list[str]:
        return [event.message for event in self.events if event.kind is kind]


@pytest.fixture
def run(run_directory: Path) -> Run:
    return Run(run_directory)


# The loop itself


def test_steps_are_taken_in_order_and_journaled(run: Run) -> None:
    run.run()
    assert run.did() == [f"stop {name}" for name in UNITS]
    assert [entry.step for entry in run.entries()] == run.steps


def test_a_step_with_nothing_to_undo_is_not_journaled(run: Run) -> None:
    run.steps = [StopUnit(name, restart=name == "two.service", seconds=20) for name in UNITS]
    run.run()
    assert len(run.did()) == len(UNITS)
    assert [entry.step for entry in run.entries()] == [run.steps[1]]
    run.roll_back()
    assert run.entries() == ()


def test_the_journal_is_written_before_each_effect(run: Run) -> None:
    run.run()
    assert run.host.effects.log == [
        word for name in UNITS for word in ("journal push", f"stop {name}")
    ]


def test_newest_is_undone_first(run: Run) -> None:
    run.run()
    run.host.effects.log.clear()
    run.roll_back()
    assert run.did() == [f"start {name}" for name in reversed(UNITS)]
    assert run.entries() == ()


def test_an_entry_is_struck_out_after_its_undo(run: Run) -> None:
    run.run()
    run.host.effects.log.clear()
    run.roll_back()
    assert run.host.effects.log == [
        word for name in reversed(UNITS) for word in (f"start {name}", "journal update")
    ]


def test_the_first_failure_ends_the_run_and_is_raised(run: Run) -> None:
    run.host.effects.plan({4: Fault.FAIL_BEFORE})
    with pytest.raises(HostError, match="injected: stop two"):
        run.run()
    assert "stop three.service" not in run.did()
    assert all(run.host.units.unit(name).active for name in UNITS)
    assert run.told(Kind.STEP_FAILED) == [
        "could not stop the display manager two.service: injected: stop two.service did nothing"
    ]


def test_one_undo_that_fails_leaves_the_others_done(run: Run) -> None:
    run.run()
    run.host.user.units["two.service"].start_fails = True
    with pytest.raises(Stuck) as caught:
        run.roll_back()
    assert [run.host.units.unit(name).active for name in UNITS] == [True, False, True]
    assert [entry.step for entry in run.entries()] == [run.steps[1]]
    assert "start the display manager two.service" in caught.value.message
    assert "one.service" not in caught.value.message
    assert "have it tried again: sudo vfiod return" in caught.value.hint


def test_every_undo_that_fails_is_named(run: Run) -> None:
    run.run()
    for name in UNITS[:2]:
        run.host.user.units[name].start_fails = True
    with pytest.raises(Stuck) as caught:
        run.roll_back()
    assert all(name in caught.value.message for name in UNITS[:2])


def test_a_fault_of_an_undo_itself_does_not_stop_the_others(run: Run) -> None:
    """A step whose journaled prior lacks what it needs raises KeyError, not HostError."""
    run.run()
    broken = Entry(run.steps[1], {})
    run.journal.update(lambda r: replace(r, entries=(r.entries[0], broken, r.entries[2])))
    with pytest.raises(Stuck, match="KeyError"):
        run.roll_back()
    assert [run.host.units.unit(name).active for name in UNITS] == [True, False, True]


def test_what_was_stuck_is_undone_at_the_next_try(run: Run) -> None:
    run.run()
    run.host.user.units["two.service"].start_fails = True
    with pytest.raises(Stuck):
        run.roll_back()
    run.host.user.units["two.service"].start_fails = False
    run.roll_back()
    assert all(run.host.units.unit(name).active for name in UNITS)


def test_undoing_goes_on_while_the_journal_cannot_be_written(run: Run) -> None:
    run.run()
    run.host.effects.plan(dict.fromkeys((2, 4, 6), Fault.FAIL_BEFORE))
    run.roll_back()
    assert run.host.effects.spoiled
    assert all(run.host.units.unit(name).active for name in UNITS)


def test_nothing_is_done_that_could_not_be_journaled(run: Run) -> None:
    run.host.effects.plan({1: Fault.FAIL_BEFORE})
    with pytest.raises(HostError):
        run.run()
    assert run.did() == []


def test_without_a_journal_there_is_nothing_to_undo(run: Run) -> None:
    run.journal.clear()
    run.roll_back()
    assert run.did() == []


def test_an_interrupt_is_undone_too(run: Run) -> None:
    def interrupt(name: str) -> None:
        if name == "stop three.service":
            raise KeyboardInterrupt

    run.host.effects.barrier = interrupt
    with pytest.raises(KeyboardInterrupt):
        run.run()
    assert all(run.host.units.unit(name).active for name in UNITS)


def test_each_step_is_told_with_its_fields(run: Run) -> None:
    run.steps = [KeepAwake(pcs.VGA)]
    run.run()
    run.roll_back()
    forth, back = (event for event in run.events if event.kind is Kind.STEP_DONE)
    assert forth.message == f"keep {pcs.VGA} powered (0.000 s)"
    assert back.message == f"restore the power settings of {pcs.VGA} (0.000 s)"
    assert forth.fields == {
        "STEP": "keep-awake", "DEVICE": str(pcs.VGA), "DIRECTION": "handoff",
        "BEGAN_USEC": "1000000000", "DURATION_USEC": "0",
    }  # fmt: skip
    assert back.fields["DIRECTION"] == "return"


def test_a_step_that_fails_tells_when_it_began_and_how_long_it_took(run: Run) -> None:
    run.host.effects.plan({4: Fault.HANG})
    with pytest.raises(HostError):
        run.run()
    (failed,) = (event for event in run.events if event.kind is Kind.STEP_FAILED)
    assert failed.fields["BEGAN_USEC"] == "1000000000"
    assert failed.fields["DURATION_USEC"] == "20000000"


def test_a_dead_daemon_does_nothing_more(run: Run) -> None:
    run.host.effects.plan({2: Fault.KILL_BEFORE})
    with pytest.raises(Killed):
        run.run()
    assert run.did() == ["stop one.service"]
    assert len(run.entries()) == 1


def test_order_matters_for_devices_that_share_a_wake_policy(run: Run) -> None:
    """Detach resets the power policy on vfio-pci: only newest first restores it."""
    run.host.modules.load("vfio_pci", seconds=1)
    run.steps = [Inhibit("win10"), KeepAwake(pcs.VGA), Detach(pcs.VGA, 20)]
    before = run.host.snapshot()
    run.run()
    run.roll_back()
    assert run.host.snapshot() == before


# Everything that can go wrong, at every point


def unbound_audio() -> FakeHost:
    return pcs.greeter(pcs.bare(audio=None))


SHAPES: dict[str, Callable[[], FakeHost]] = {
    "crowded desktop": pcs.crowded,
    "text console": pcs.text_console,
    "on vfio-pci before": pcs.on_vfio,
    "nvidia": pcs.nvidia,
    "unbound audio": unbound_audio,
    "everything tuned": pcs.tuned,
    "autologin": pcs.autologin,
}
# A failed or killed write of the journal leaves the old one: two ways are all there are.
JOURNAL_FAULTS = (Fault.FAIL_BEFORE, Fault.KILL_BEFORE)


# Without a gate holders are looked for again; a lingering user's manager is started on the return;
# who holds a device in a scope that does not end is looked for as ever.
BYSTANDERS = (
    "close the gate", "start user@1001.service", "stop session-1.scope", "stop session-2.scope",
)  # fmt: skip
FAILS = (Fault.FAIL_BEFORE, Fault.FAIL_AFTER)


def cases(log: Sequence[str]) -> Iterator[tuple[int, Fault]]:
    """Each of these effects with each way it can go wrong."""
    for number, name in enumerate(log, 1):
        for fault in JOURNAL_FAULTS if name.startswith("journal") else Fault:
            yield number, fault


def handoff_log(shape: Callable[[], FakeHost], directory: Path) -> list[str]:
    rig = Rig(shape(), directory)
    assert rig.prepare() is None
    return list(rig.host.effects.log)


def return_log(shape: Callable[[], FakeHost], directory: Path) -> list[str]:
    rig = Rig(shape(), directory)
    pid = rig.start()
    rig.host.effects.log.clear()
    rig.end_guest(pid)
    return list(rig.host.effects.log)


def set_right(rig: Rig) -> None:
    """What happens then, by systemd, by libvirt, and in the end by a person."""
    rig.host.effects.plan({})
    if rig.host.effects.is_dead:
        assert rig.recover() is None
    rig.manager.release("win10", "failed")
    rig.queue.run_all()
    rig.obey()
    if rig.phase is Phase.STUCK:
        stuck = rig.status.read()["faults"]
        assert any(subject in " ".join(stuck) for subject in rig.host.effects.hung or ("",))
        assert rig.messages(Kind.STUCK)
        rig.host.effects.thaw()
        assert rig.return_devices() is None


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_a_handoff_that_goes_wrong_anywhere_gives_everything_back(
    shape: Callable[[], FakeHost], run_directory: Path, counts: dict[str, int]
) -> None:
    log = handoff_log(shape, run_directory)
    for number, fault in cases(log):
        rig = Rig(shape(), run_directory)
        rig.host.effects.plan({number: fault})
        error = rig.prepare()
        is_tried_again = log[number - 1].startswith("unload ") and fault in FAILS
        goes_on = is_tried_again or (log[number - 1] in BYSTANDERS and fault not in KILLS)
        what = f"{rig.host.effects.log[-1]} ({number}) {fault.value}"
        assert rig.host.effects.spoiled, what
        assert (error is None) == goes_on, what
        assert is_killed(error) == (fault in KILLS), what
        if fault in FAILS and not goes_on:
            assert rig.phase is Phase.HOST, what
            assert rig.differences() == {}, what
        set_right(rig)
        assert rig.differences() == {}, what
        counts["handoff"] = counts.get("handoff", 0) + 1


@pytest.mark.parametrize("name", ["crowded desktop", "nvidia", "unbound audio", "everything tuned"])
def test_a_return_that_goes_wrong_anywhere_is_brought_to_its_end(
    name: str, run_directory: Path, counts: dict[str, int]
) -> None:
    shape = SHAPES[name]
    for number, fault in cases(return_log(shape, run_directory)):
        rig = Rig(shape(), run_directory)
        pid = rig.start()
        rig.host.effects.plan({number: fault})
        with suppress(Killed, HostError):
            rig.end_guest(pid)
        what = f"{rig.host.effects.log[-1]} ({number}) {fault.value}"
        assert rig.host.effects.spoiled, what
        if not rig.host.effects.is_dead:
            rig.watcher.look()
            rig.queue.run_all()
            assert rig.phase in (Phase.HOST, Phase.STUCK), what
        set_right(rig)
        assert rig.differences() == {}, what
        counts["return"] = counts.get("return", 0) + 1


def test_a_roll_back_that_is_killed_anywhere_is_finished_by_the_next_daemon(
    run_directory: Path, counts: dict[str, int]
) -> None:
    """A handoff fails at some point, and the daemon is killed at any point of undoing it."""
    shape = unbound_audio
    log = handoff_log(shape, run_directory)
    for first in range(2, len(log) + 1, 3):
        for second in range(first + 1, first + 1000):
            rig = Rig(shape(), run_directory)
            kill = KILLS[second % 2]
            rig.host.effects.plan({first: Fault.FAIL_BEFORE, second: kill})
            error = rig.prepare()
            if not rig.host.effects.spoiled:
                break
            assert is_killed(error)
            set_right(rig)
            assert rig.differences() == {}, f"{first}, {second} {kill.value}"
            counts["roll back"] = counts.get("roll back", 0) + 1


def test_a_recovery_that_goes_wrong_anywhere_is_recovered_from(
    run_directory: Path, counts: dict[str, int]
) -> None:
    """Killed at every point of a handoff, and then at every point of the recovery."""
    shape = unbound_audio
    log = handoff_log(shape, run_directory)
    for first in range(1, len(log) + 1, 2):
        second = 0
        while True:
            second += 1
            rig = Rig(shape(), run_directory)
            rig.host.effects.plan({first: Fault.KILL_AFTER})
            assert is_killed(rig.prepare())
            rig.boot()
            fault = (Fault.KILL_BEFORE, Fault.KILL_AFTER, Fault.FAIL_BEFORE)[second % 3]
            rig.host.effects.plan({second: fault})
            rig.outcome(rig.manager.recover())
            reached = rig.host.effects.spoiled
            set_right(rig)
            assert rig.differences() == {}, f"{first}, {second} {fault.value}"
            if not reached:
                break
            counts["recovery"] = counts.get("recovery", 0) + 1
