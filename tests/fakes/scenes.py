"""What happens to guests, as the real manager tells it: one recording for each kind of story."""

from collections.abc import Callable
from pathlib import Path

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.host import FakeHost
from tests.fakes.record import recorded
from tests.fakes.rig import Rig
from tests.fakes.userspace import FakeUnit, Program
from vfiod.errors import VfiodError
from vfiod.host.goodbye import Answer, Outcome

Records = list[dict[str, str]]
TWO_GUESTS = pcs.configuration() + "  other:\n    devices: [0000:01:00.0, 0000:01:00.1]\n"


def returned(directory: Path) -> Records:
    """The rule: handed over, played for an hour, returned."""
    rig = Rig(pcs.crowded(), directory)
    tape = recorded(rig)
    pid = rig.start()
    rig.pass_time(3723)
    rig.end_guest(pid)
    return tape.records


def refused(directory: Path) -> Records:
    """Two reasons at once; nothing is touched."""
    rig = Rig(pcs.desktop(), directory)
    tape = recorded(rig)
    rig.host.memory.free = 0
    rig.host.files.absent.add("/var/lib/libvirt/images/win10.qcow2")
    rig.prepare()
    return tape.records


def unsaved(directory: Path) -> Records:
    """The desktop was asked to log out, and still waits for an answer of alice's."""
    rig = Rig(pcs.desktop(), directory, "sessions: refuse-unsaved\n" + pcs.configuration())
    tape = recorded(rig)
    waits = Answer(Outcome.UNANSWERED, ("gedit (There are unsaved documents)",))
    rig.host.goodbyes.answers["log out", "alice"] = waits
    rig.prepare()
    return tape.records


def wrong_configuration(directory: Path) -> Records:
    """A key that does not exist."""
    rig = Rig(pcs.desktop(), directory, "guests: {win10: {device: []}}\n")
    tape = recorded(rig)
    rig.prepare()
    return tape.records


def failed(directory: Path) -> Records:
    """A process that cannot be ended holds the card: all is put back."""
    host = pcs.desktop()
    stubborn = Program("stubborn", (pcs.VGA,), ignores=frozenset({15, 9}))
    host.user.add(FakeUnit("stubborn.scope", (stubborn,)))
    rig = Rig(host, directory)
    tape = recorded(rig)
    rig.prepare()
    return tape.records


def stuck(directory: Path) -> Records:
    """The kernel hangs while it gives the sound function back."""
    return _stuck(directory)[1]


def retried(directory: Path) -> Records:
    """Stuck, then set right by a person, then returned."""
    rig = Rig(pcs.desktop(), directory)
    tape = recorded(rig)
    pid = rig.start()
    rig.pass_time(60)
    rig.host.kernel.drivers["snd_hda_intel"].refuses = True
    rig.end_guest(pid)
    rig.host.kernel.drivers["snd_hda_intel"].refuses = False
    rig.pass_time(300)
    assert rig.return_devices() is None
    return tape.records


def late(directory: Path) -> Records:
    """Stuck in the kernel, which comes back five minutes later."""
    rig, records = _stuck(directory)
    rig.host.effects.plan({})
    rig.host.clock.advance(300)
    rig.host.effects.thaw()
    rig.pass_time(1)
    return records


def _stuck(directory: Path) -> tuple[Rig, Records]:
    rig = Rig(pcs.desktop(), directory)
    tape = recorded(rig)
    pid = rig.start()
    rig.pass_time(60)
    host = rig.host
    number = _number(host, lambda: rig.end_guest(pid), f"unbind {pcs.AUDIO}")
    assert number
    return rig, tape.records


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
    rig = Rig(pcs.desktop(), directory, TWO_GUESTS)
    tape = recorded(rig)
    pid = rig.start()
    rig.pass_time(30)
    pair = (pcs.VGA, pcs.AUDIO)
    other = pcs.xml(pair, name="other", rom_file=None)
    assert isinstance(rig.prepare("other", other), VfiodError)
    rig.pass_time(30)
    rig.end_guest(pid)
    rig.pass_time(30)
    assert rig.prepare("other", other) is None
    return tape.records


def limbo(directory: Path) -> Records:
    """Prepared, but libvirt never starts the guest."""
    rig = Rig(pcs.desktop(), directory)
    tape = recorded(rig)
    assert rig.prepare() is None
    rig.pass_time(120)
    return tape.records


def adopted(directory: Path) -> Records:
    """The daemon is restarted while the guest runs."""
    rig = Rig(pcs.desktop(), directory)
    tape = recorded(rig)
    pid = rig.start()
    rig.pass_time(10)
    assert rig.recover() is None
    rig.pass_time(10)
    rig.end_guest(pid)
    return tape.records


def killed(directory: Path) -> Records:
    """The daemon is killed in the middle of a handoff; the next one puts all back."""
    rig = Rig(pcs.desktop(), directory)
    tape = recorded(rig)
    rig.host.effects.plan({14: Fault.KILL_AFTER})
    rig.prepare()
    # What the model's dead daemon would say of its own death.
    tape.records.pop()
    assert rig.recover() is None
    return tape.records


SCENES: dict[str, Callable[[Path], Records]] = {
    scene.__name__: scene
    for scene in (
        returned, refused, unsaved, wrong_configuration, failed, stuck, retried, late, interleaved,
        limbo, adopted, killed,
    )
}  # fmt: skip
