"""Pairs of faults, and a recovery that goes wrong: whatever meets, it ends in the invariants.

The invariants are written down once, as Bench.differences(): driver, override, power policy,
nodes, modules, consoles, framebuffers, units, processes, inhibitor, staged files, journal.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count, cycle
from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.fault import KILLS, Fault, Killed
from tests.fakes.rig import Bench
from vfiod.errors import HostError
from vfiod.events import Kind
from vfiod.model import Phase

FAILS = (Fault.FAIL_BEFORE, Fault.FAIL_AFTER, Fault.HANG, Fault.LATE)
Act = Callable[[Bench], None]


def set_right(bench: Bench) -> None:
    """systemd starts the daemon again; then, by the message, a person does what it says."""
    bench.host.effects.plan({})
    if bench.host.effects.is_dead:
        with suppress(HostError):
            bench.recover()
    bench.manager.release("win10", "failed")
    bench.queue.run_all()
    bench.pass_time(120)
    bench.obey()
    if bench.phase is Phase.STUCK:
        assert bench.messages(Kind.STUCK)
        assert bench.status.read()["faults"]
    if bench.phase is not Phase.HOST:
        bench.host.effects.thaw()
        for device in bench.host.kernel.devices.values():
            device.cure = None
        assert bench.return_devices(force=True) is None


def hand_over(bench: Bench) -> None:
    bench.prepare()


def hand_back(bench: Bench) -> None:
    with suppress(Killed, HostError):
        bench.manager.release("win10", "shutdown")
        bench.queue.run_all()


def at_host(directory: Path) -> Bench:
    return Bench(pcs.desktop(), directory)


def at_guest(directory: Path) -> Bench:
    bench = Bench(pcs.desktop(), directory)
    bench.host.user.kill(bench.start())
    return bench


def with_a_dead_card(directory: Path) -> Bench:
    bench = at_guest(directory)
    bench.host.kernel.devices[pcs.VGA].cure = "reload"
    return bench


def effects_of(make: Callable[[Path], Bench], act: Act, directory: Path) -> list[str]:
    bench = make(directory)
    bench.host.effects.log.clear()
    act(bench)
    return list(bench.host.effects.log)


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
    make: Callable[[Path], Bench],
    act: Act,
    run_directory: Path,
    counts: dict[str, int],
) -> None:
    length = len(effects_of(make, act, run_directory))
    kinds = cycle([(f, s) for f in FAILS for s in (*FAILS, *KILLS)])
    for (first, second), (one, other) in zip(pairs(length, step), kinds, strict=False):
        bench = make(run_directory)
        bench.host.effects.plan({first: one, second: other})
        act(bench)
        set_right(bench)
        what = f"{first} {one.value}, {second} {other.value}"
        assert bench.differences() == {}, what
        counts[f"pairs, {name}"] = counts.get(f"pairs, {name}", 0) + 1


def test_a_recovery_that_goes_wrong_anywhere(run_directory: Path, counts: dict[str, int]) -> None:
    for number in count(1):
        for fault in Fault:
            bench = with_a_dead_card(run_directory)
            bench.host.effects.plan({number: fault})
            hand_back(bench)
            if not bench.host.effects.spoiled:
                return
            set_right(bench)
            assert bench.differences() == {}, f"{number} {fault.value}"
            counts["recovery"] = counts.get("recovery", 0) + 1
