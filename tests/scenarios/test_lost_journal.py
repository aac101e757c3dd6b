"""A journal that is removed, damaged or cannot be read in the middle: nothing is left out for it.

At every effect of a handoff and of a return: by a person, by what cleans /run, or by a host that is
out of file descriptors.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.rig import Rig
from vfiod.errors import HostError, Stuck
from vfiod.events import Kind
from vfiod.handoff.journal import Record
from vfiod.handoff.unread import TRIES
from vfiod.model import VFIO_DRIVER, Phase

Spoil = Callable[[Rig], None]


def remove(rig: Rig) -> None:
    rig.path.unlink()


def damage(rig: Rig) -> None:
    rig.path.write_text("{")


def hide(rig: Rig) -> None:
    """No file can be opened any more."""

    def read() -> Record | None:
        raise HostError("cannot read the journal: Too many open files")

    rig.journal.read = read  # type: ignore[method-assign]


def show(rig: Rig) -> None:
    """There are file descriptors again."""
    with suppress(AttributeError):
        del rig.journal.read


def spoil_at(rig: Rig, number: int, spoil: Spoil) -> None:
    """Just before the coming effect of this number."""
    names: list[str] = []

    def count(name: str) -> None:
        names.append(name)
        if len(names) == number:
            spoil(rig)

    rig.host.effects.barrier = count


def numbers(directory: Path, act: Callable[[Rig], None], prepare: Spoil) -> Iterator[int]:
    """Those of all effects but the first, which is the journal's own beginning or mark."""
    rig = Rig(pcs.desktop(), directory)
    prepare(rig)
    rig.host.effects.log.clear()
    act(rig)
    yield from range(2, len(rig.host.effects.log) + 1)


def start(rig: Rig) -> None:
    rig.prepare()


def end(rig: Rig) -> None:
    rig.manager.release("win10", "shutdown")
    rig.queue.run_all()


def run_and_end(rig: Rig) -> None:
    pid = rig.start()
    rig.host.user.kill(pid)
    rig.host.libvirt.clean_up()


@pytest.mark.parametrize("spoil", [remove, damage, hide])
def test_a_start_that_fails_and_loses_its_journal_gives_everything_back(
    spoil: Spoil, run_directory: Path
) -> None:
    for number in numbers(run_directory, start, lambda _: None):
        rig = Rig(pcs.desktop(), run_directory)
        spoil_at(rig, number, spoil)
        rig.host.effects.plan({number: Fault.FAIL_BEFORE})
        error = rig.prepare()
        show(rig)
        rig.host.effects.barrier = lambda _: None
        assert error is not None, number
        assert rig.phase is Phase.HOST, number
        assert rig.differences() == {}, number


def test_a_start_whose_journal_is_removed_ends_there_and_gives_everything_back(
    run_directory: Path,
) -> None:
    for number in numbers(run_directory, start, lambda _: None):
        rig = Rig(pcs.desktop(), run_directory)
        spoil_at(rig, number, remove)
        error = rig.prepare()
        assert "was removed while a handoff was under way" in str(error), number
        assert rig.differences() == {}, number


@pytest.mark.parametrize("spoil", [remove, damage, hide])
def test_a_return_that_loses_its_journal_gives_everything_back(
    spoil: Spoil, run_directory: Path
) -> None:
    for number in numbers(run_directory, end, run_and_end):
        rig = Rig(pcs.desktop(), run_directory)
        run_and_end(rig)
        spoil_at(rig, number, spoil)
        end(rig)
        show(rig)
        assert rig.phase is Phase.HOST, number
        assert rig.differences() == {}, number


def test_what_gets_stuck_without_its_journal_is_in_it_again(run_directory: Path) -> None:
    rig = Rig(pcs.desktop(), run_directory)
    rig.host.kernel.drivers[VFIO_DRIVER].refuses = True
    rig.host.kernel.drivers["xhci_hcd"].refuses = True
    spoil_at(rig, 20, remove)
    assert isinstance(rig.prepare(), Stuck)
    assert rig.phase is Phase.STUCK
    rig.host.kernel.drivers["xhci_hcd"].refuses = False
    assert rig.return_devices() is None
    assert rig.differences() == {}


def test_a_roll_back_that_is_broken_off_is_not_told_as_done(
    run_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(pcs.desktop(), run_directory)

    def refuse() -> None:
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(rig.host.gate, "open", refuse)
    rig.host.effects.plan({20: Fault.FAIL_BEFORE})
    error = rig.prepare()
    assert isinstance(error, Stuck)
    assert "broken off: OSError(9, 'Bad file descriptor')" in str(error)
    assert rig.messages(Kind.RETURN_COMPLETE) == []
    assert rig.phase is Phase.STUCK
    monkeypatch.undo()
    assert rig.return_devices() is None
    assert rig.differences() == {}


def end_unread(rig: Rig, pid: int) -> None:
    """QEMU ends, libvirt says so, and at that moment no file can be opened."""
    hide(rig)
    rig.host.user.kill(pid)
    rig.host.libvirt.clean_up()
    rig.watcher.look()
    with pytest.raises(HostError):
        rig.manager.release("win10", "shutdown")
    rig.queue.run_all()
    show(rig)


def test_an_end_that_could_not_be_read_is_read_later(rig: Rig) -> None:
    end_unread(rig, rig.start())
    rig.pass_time(61)
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}


def test_the_word_that_a_guest_has_ended_is_remembered(rig: Rig) -> None:
    """Also where nobody has seen its QEMU."""
    rig.prepare()
    rig.manager.started("win10")
    rig.queue.run_all()
    end_unread(rig, 4711)
    rig.pass_time(61)
    assert rig.differences() == {}


def test_that_word_is_true_of_a_guest_that_was_said_to_run_only_after_it(rig: Rig) -> None:
    rig.prepare()
    rig.host.clock.advance(1)
    started = rig.manager.started("win10")
    hide(rig)
    with pytest.raises(HostError):
        rig.manager.release("win10", "shutdown")
    show(rig)
    rig.host.clock.advance(1)
    assert rig.outcome(started) is None
    assert rig.phase is Phase.GUEST
    rig.pass_time(61)
    assert rig.differences() == {}


def test_what_can_never_be_read_is_said_once_and_left_to_a_person(rig: Rig) -> None:
    pid = rig.start()
    rig.path.write_text("{")
    rig.host.user.kill(pid)
    rig.watcher.look()
    rig.queue.run_all()
    rig.pass_time(3600)
    assert len(rig.messages(Kind.STUCK)) == 1
    assert len(rig.messages(Kind.STEP_FAILED)) <= 2 * TRIES


def test_an_end_that_is_read_later_does_not_end_the_next_guest(rig: Rig) -> None:
    rig.prepare()
    hide(rig)
    with pytest.raises(HostError):
        rig.manager.release("win10", "failed")
    show(rig)
    rig.host.clock.advance(1)
    rig.prepare()
    rig.pass_time(59)
    rig.queue.run_all()
    assert rig.phase is Phase.PREPARED


def test_a_button_pressed_when_nothing_can_be_read_is_listened_to_later(rig: Rig) -> None:
    rig.start()
    hide(rig)
    assert rig.watcher.press()
    rig.queue.run_all()
    show(rig)
    rig.pass_time(10)
    rig.watcher.press()
    rig.queue.run_all()
    assert rig.host.guests.asked == [60.0]
