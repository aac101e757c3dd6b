"""What happens to guests, as the real manager tells it: one recording for each kind of story."""

from collections.abc import Callable
from pathlib import Path

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.host import FakeHost
from tests.fakes.record import recorded
from tests.fakes.rig import Bench
from tests.fakes.userspace import FakeUnit, Program
from vfiod.errors import VfiodError

Records = list[dict[str, str]]
TWO_GUESTS = pcs.configuration() + "  other:\n    devices: [0000:01:00.0, 0000:01:00.1]\n"


def returned(directory: Path) -> Records:
    """The rule: handed over, played for an hour, returned."""
    bench = Bench(pcs.crowded(), directory)
    tape = recorded(bench)
    pid = bench.start()
    bench.pass_time(3723)
    bench.end_guest(pid)
    return tape.records


def refused(directory: Path) -> Records:
    """Two reasons at once; nothing is touched."""
    bench = Bench(pcs.desktop(), directory)
    tape = recorded(bench)
    bench.host.memory.free = 0
    bench.host.files.absent.add("/var/lib/libvirt/images/win10.qcow2")
    bench.prepare()
    return tape.records


def wrong_configuration(directory: Path) -> Records:
    """A key that does not exist."""
    bench = Bench(pcs.desktop(), directory, "guests: {win10: {device: []}}\n")
    tape = recorded(bench)
    bench.prepare()
    return tape.records


def failed(directory: Path) -> Records:
    """A process that cannot be ended holds the card: all is put back."""
    host = pcs.desktop()
    stubborn = Program("stubborn", (pcs.VGA,), ignores=frozenset({15, 9}))
    host.user.add(FakeUnit("stubborn.scope", (stubborn,)))
    bench = Bench(host, directory)
    tape = recorded(bench)
    bench.prepare()
    return tape.records


def stuck(directory: Path) -> Records:
    """The kernel hangs while it gives the sound function back."""
    return _stuck(directory)[1]


def retried(directory: Path) -> Records:
    """Stuck, then set right by a person, then returned."""
    bench = Bench(pcs.desktop(), directory)
    tape = recorded(bench)
    pid = bench.start()
    bench.pass_time(60)
    bench.host.kernel.drivers["snd_hda_intel"].refuses = True
    bench.end_guest(pid)
    bench.host.kernel.drivers["snd_hda_intel"].refuses = False
    bench.pass_time(300)
    assert bench.return_devices() is None
    return tape.records


def late(directory: Path) -> Records:
    """Stuck in the kernel, which comes back five minutes later."""
    bench, records = _stuck(directory)
    bench.host.effects.plan({})
    bench.host.clock.advance(300)
    bench.host.effects.thaw()
    bench.pass_time(1)
    return records


def _stuck(directory: Path) -> tuple[Bench, Records]:
    bench = Bench(pcs.desktop(), directory)
    tape = recorded(bench)
    pid = bench.start()
    bench.pass_time(60)
    host = bench.host
    number = _number(host, lambda: bench.end_guest(pid), f"unbind {pcs.AUDIO}")
    assert number
    return bench, tape.records


def _number(host: FakeHost, act: Callable[[], None], name: str) -> int:
    """Let an effect of this name hang; its number among the effects."""
    take_time, count = host.effects.barrier, 0

    def watch(now: str) -> None:
        nonlocal count
        take_time(now)
        if now == name:
            count += 1
            host.effects.plan({1: Fault.HANG})

    host.effects.barrier = watch
    act()
    host.effects.barrier = take_time
    return count


def interleaved(directory: Path) -> Records:
    """While win10 has the card, other wants it; then other gets it."""
    bench = Bench(pcs.desktop(), directory, TWO_GUESTS)
    tape = recorded(bench)
    pid = bench.start()
    bench.pass_time(30)
    pair = (pcs.VGA, pcs.AUDIO)
    other = pcs.xml(pair, name="other", rom_file=None)
    assert isinstance(bench.prepare("other", other), VfiodError)
    bench.pass_time(30)
    bench.end_guest(pid)
    bench.pass_time(30)
    assert bench.prepare("other", other) is None
    return tape.records


def limbo(directory: Path) -> Records:
    """Prepared, but libvirt never starts the guest."""
    bench = Bench(pcs.desktop(), directory)
    tape = recorded(bench)
    assert bench.prepare() is None
    bench.pass_time(120)
    return tape.records


def adopted(directory: Path) -> Records:
    """The daemon is restarted while the guest runs."""
    bench = Bench(pcs.desktop(), directory)
    tape = recorded(bench)
    pid = bench.start()
    bench.pass_time(10)
    assert bench.recover() is None
    bench.pass_time(10)
    bench.end_guest(pid)
    return tape.records


def killed(directory: Path) -> Records:
    """The daemon is killed in the middle of a handoff; the next one puts all back."""
    bench = Bench(pcs.desktop(), directory)
    tape = recorded(bench)
    bench.host.effects.plan({14: Fault.KILL_AFTER})
    bench.prepare()
    # What the model's dead daemon would say of its own death.
    tape.records.pop()
    assert bench.recover() is None
    return tape.records


SCENES: dict[str, Callable[[Path], Records]] = {
    scene.__name__: scene
    for scene in (
        returned, refused, wrong_configuration, failed, stuck, retried, late, interleaved, limbo,
        adopted, killed,
    )
}  # fmt: skip
