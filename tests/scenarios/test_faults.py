"""Pairs of faults, and a recovery that goes wrong: whatever meets, it ends in the invariants.

The invariants are written down once, as Rig.differences(): driver, override, power policy,
nodes, modules, consoles, framebuffers, units, processes, inhibitor, staged files, journal.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count, cycle
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import KILLS, Fault, Killed
from tests.fakes.rig import Rig
from vfiod.errors import HostError
from vfiod.events import Kind
from vfiod.model import Phase

FAILS = (Fault.FAIL_BEFORE, Fault.FAIL_AFTER, Fault.HANG, Fault.LATE)
Act = Callable[[Rig], None]


def set_right(rig: Rig) -> None:
    """systemd starts the daemon again; then, by the message, a person does what it says."""
    rig.host.effects.plan({})
    if rig.host.effects.is_dead:
        with suppress(HostError):
            rig.recover()
    rig.manager.release("win10", "failed")
    rig.queue.run_all()
    rig.pass_time(120)
    rig.obey()
    if rig.phase is Phase.STUCK:
        assert rig.messages(Kind.STUCK)
        assert rig.status.read()["faults"]
    if rig.phase is not Phase.HOST:
        rig.host.effects.thaw()
        for device in rig.host.kernel.devices.values():
            device.cure = None
        assert rig.return_devices(force=True) is None


def hand_over(rig: Rig) -> None:
    rig.prepare()


def hand_back(rig: Rig) -> None:
    with suppress(Killed, HostError):
        rig.manager.release("win10", "shutdown")
        rig.queue.run_all()


def at_host(directory: Path) -> Rig:
    return Rig(pcs.desktop(), directory)


def at_guest(directory: Path) -> Rig:
    rig = Rig(pcs.desktop(), directory)
    rig.host.user.kill(rig.start())
    return rig


def with_a_dead_card(directory: Path) -> Rig:
    rig = at_guest(directory)
    rig.host.kernel.devices[pcs.VGA].cure = "reload"
    return rig


def effects_of(make: Callable[[Path], Rig], act: Act, directory: Path) -> list[str]:
    rig = make(directory)
    rig.host.effects.log.clear()
    act(rig)
    return list(rig.host.effects.log)


def pairs(length: int, step: int) -> Iterator[tuple[int, int]]:
    """Each first place with every ``step``-th later one."""
    for first in range(1, length + 1):
        yield from ((first, second) for second in range(first + 1 + first % step, 2 * length, step))


@pytest.mark.parametrize("step", [3, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    ("name", "make", "act"),
    [("handoff", at_host, hand_over), ("return", at_guest, hand_back)],
)
def test_two_faults(
    step: int,
    name: str,
    make: Callable[[Path], Rig],
    act: Act,
    run_directory: Path,
    counts: dict[str, int],
) -> None:
    length = len(effects_of(make, act, run_directory))
    kinds = cycle([(f, s) for f in FAILS for s in (*FAILS, *KILLS)])
    for (first, second), (one, other) in zip(pairs(length, step), kinds, strict=False):
        rig = make(run_directory)
        rig.host.effects.plan({first: one, second: other})
        act(rig)
        set_right(rig)
        what = f"{first} {one.value}, {second} {other.value}"
        assert rig.differences() == {}, what
        counts[f"pairs, {name}"] = counts.get(f"pairs, {name}", 0) + 1


def test_a_recovery_that_goes_wrong_anywhere(run_directory: Path, counts: dict[str, int]) -> None:
    for number in count(1):
        for fault in Fault:
            rig = with_a_dead_card(run_directory)
            rig.host.effects.plan({number: fault})
            hand_back(rig)
            if not rig.host.effects.spoiled:
                return
            set_right(rig)
            assert rig.differences() == {}, f"{number} {fault.value}"
            counts["recovery"] = counts.get("recovery", 0) + 1
