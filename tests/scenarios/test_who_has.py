"""Who has the devices: by group or by iommufd, seen or not, and nothing is taken from under it."""

from typing import Any

import pytest

from tests.fakes import pcs
from tests.fakes.bus import BusUnit, FakeBus
from tests.fakes.libvirt import UUID
from tests.fakes.rig import Rig
from tests.fakes.userspace import Process, Program
from vfiod.errors import Busy, HostError
from vfiod.events import Kind
from vfiod.handoff.journal import Journal
from vfiod.host.linux.guest_end import LinuxGuests, find_scope
from vfiod.host.linux.process import Programs
from vfiod.host.linux.units import LinuxUnits
from vfiod.model import VFIO_DRIVER, Phase

SCOPE = "machine-qemu-1-win10.scope"


def phase(rig: Rig) -> Phase:
    return rig.phase


def require_untouched(rig: Rig) -> None:
    assert {rig.host.pci.driver(address) for address in pcs.DEVICES} == {VFIO_DRIVER}
    assert rig.host.kernel.mishaps == []


def silent(_name: str) -> str | None:
    raise HostError("no answer to ListUnitsByPatterns in time")


# iommufd


def start_on_iommufd(rig: Rig) -> int:
    assert rig.prepare() is None
    pid = rig.host.start_guest(pcs.DEVICES, iommufd=True).pid
    assert rig.outcome(rig.manager.started("win10")) is None
    return pid


def test_a_guest_on_iommufd_is_followed(rig: Rig) -> None:
    pid = start_on_iommufd(rig)
    assert phase(rig) is Phase.GUEST
    rig.pass_time(1000)
    require_untouched(rig)
    assert isinstance(rig.return_devices(), Busy)
    assert rig.recover() is None
    assert phase(rig) is Phase.GUEST
    rig.host.user.kill(pid)
    rig.pass_time(1)
    assert phase(rig) is Phase.HOST
    assert rig.differences() == {}


def test_a_guest_on_iommufd_that_ends_slowly_is_waited_for(rig: Rig) -> None:
    start_on_iommufd(rig)
    rig.host.libvirt.give_up()
    rig.manager.release("win10", "failed")
    rig.queue.run_all()
    assert phase(rig) is Phase.STUCK
    require_untouched(rig)


def test_another_guest_on_iommufd_is_seen_before_a_start(rig: Rig) -> None:
    host = rig.host
    host.kernel.modules["vfio_pci"] = True
    host.pci.rebind(pcs.USB, VFIO_DRIVER, seconds=1)
    host.start_guest((pcs.USB,), iommufd=True)
    assert "another guest has a device of win10" in str(rig.prepare())


# A guest that runs on without its devices


def detach(rig: Rig, pid: int) -> None:
    """All its functions are detached from it: QEMU closes their nodes and runs on."""
    rig.host.user.processes[pid].nodes.clear()


def start_in_a_scope(rig: Rig) -> int:
    pid = rig.start()
    rig.host.user.processes[pid].unit = SCOPE
    return pid


@pytest.mark.parametrize("is_new", [False, True])
def test_devices_that_were_detached_from_a_guest_come_back_by_force(
    *, rig: Rig, is_new: bool
) -> None:
    pid = start_in_a_scope(rig)
    detach(rig, pid)
    if is_new:
        assert rig.recover() is None
    refused = rig.return_devices()
    assert isinstance(refused, Busy)
    assert "detached from it" in str(refused)
    assert "sudo vfiod return --force" in str(refused)
    require_untouched(rig)
    assert rig.return_devices(force=True) is None
    assert phase(rig) is Phase.HOST
    assert rig.differences() == {}
    rig.end_guest(pid)
    rig.pass_time(1000)
    assert phase(rig) is Phase.HOST
    assert rig.differences() == {}


def test_no_force_takes_what_one_of_them_still_has(rig: Rig) -> None:
    pid = start_in_a_scope(rig)
    rig.host.user.processes[pid].nodes.pop()
    refused = rig.return_devices(force=True)
    assert isinstance(refused, Busy)
    assert "detached from it" not in str(refused)
    require_untouched(rig)


def test_no_force_takes_anything_from_a_guest_that_was_never_seen_to_have_it(rig: Rig) -> None:
    run_unseen(rig)
    rig.outcome(rig.manager.started("win10"))
    refused = rig.return_devices(force=True)
    assert isinstance(refused, Busy)
    assert "detached from it" not in str(refused)
    require_untouched(rig)


def test_what_one_guest_was_seen_to_have_says_nothing_of_the_next(rig: Rig) -> None:
    """Its QEMU lives on, without the devices, and nobody sees what the next one has."""
    first = start_in_a_scope(rig)
    detach(rig, first)
    assert rig.return_devices(force=True) is None
    run_unseen(rig)
    rig.outcome(rig.manager.started("win10"))
    assert isinstance(rig.return_devices(force=True), Busy)
    require_untouched(rig)


# A guest that runs and is not seen to have its devices


def run_unseen(rig: Rig) -> int:
    """QEMU holds its devices by something that nobody here has heard of."""
    assert rig.prepare() is None
    pid = rig.host.user.spawn(Program("qemu"), SCOPE, ["/dev/next-vfio"]).pid
    rig.host.libvirt.began(UUID, pid, pcs.DEVICES)
    return pid


@pytest.mark.parametrize("told", [True, False])
def test_a_guest_that_runs_unseen_keeps_its_devices(*, rig: Rig, told: bool) -> None:
    pid = run_unseen(rig)
    if told:
        rig.outcome(rig.manager.started("win10"))
    rig.pass_time(10_000)
    assert phase(rig) is Phase.GUEST
    require_untouched(rig)
    assert "no process is seen to have" in rig.messages(Kind.REMARK)[-1]
    assert rig.messages(Kind.REMARK)[-1].endswith("runs: sudo vfiod return --destroy")
    error = rig.return_devices()
    assert isinstance(error, Busy)
    assert SCOPE in str(error)
    assert rig.watcher.press()
    rig.end_guest(pid)
    assert phase(rig) is Phase.HOST
    assert rig.differences() == {}


def test_a_guest_that_runs_unseen_is_left_alone_over_a_restart(rig: Rig) -> None:
    pid = run_unseen(rig)
    rig.outcome(rig.manager.started("win10"))
    assert rig.recover() is None
    rig.pass_time(10_000)
    assert phase(rig) is Phase.GUEST
    require_untouched(rig)
    rig.host.user.kill(pid)
    assert rig.return_devices() is None
    assert rig.differences() == {}


def test_a_guest_that_libvirt_says_runs_keeps_its_devices_until_libvirt_says_otherwise(
    rig: Rig,
) -> None:
    """Neither its scope nor its nodes are found."""
    rig.prepare()
    assert rig.outcome(rig.manager.started("win10")) is None
    rig.pass_time(10_000)
    assert phase(rig) is Phase.GUEST
    require_untouched(rig)
    rig.manager.release("win10", "shutdown")
    rig.queue.run_all()
    assert rig.differences() == {}


def test_as_long_as_nobody_can_say_whether_it_runs_nothing_is_taken_back(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.prepare()
    monkeypatch.setattr(rig.host.guests, "scope", silent)
    rig.pass_time(1000)
    rig.pass_time(1000)
    assert phase(rig) is Phase.PREPARED
    require_untouched(rig)
    monkeypatch.undo()
    rig.pass_time(100)
    assert rig.differences() == {}


def test_another_guest_that_libvirt_calls_the_same_does_not_keep_the_devices(rig: Rig) -> None:
    """To a machine's name "win 10" is win10."""
    pid = rig.start()
    rig.host.user.spawn(Program("qemu"), SCOPE)
    rig.host.user.kill(pid)
    rig.host.libvirt.clean_up()
    assert rig.recover() is None
    assert phase(rig) is Phase.HOST
    assert rig.differences() == {}


# A guest that takes its time to open its devices: much memory to be had first


def run_slowly(rig: Rig) -> int:
    """It is in its scope when the time limit of its start ends, and opens its devices later."""
    assert rig.prepare() is None
    process = rig.host.user.spawn(Program("qemu", uid=64055), SCOPE)
    rig.host.libvirt.began(UUID, process.pid, pcs.DEVICES)
    rig.pass_time(61)
    assert phase(rig) is Phase.GUEST
    process.nodes |= {"/dev/vfio/10", "/dev/vfio/11"}
    return process.pid


def start_slowly_unscoped(rig: Rig) -> Process:
    """A host without systemd-machined: of a QEMU that sets its memory up only libvirt knows."""
    assert rig.prepare() is None
    process = rig.host.user.spawn(Program("qemu", uid=64055))
    rig.host.libvirt.began(UUID, process.pid, pcs.DEVICES)
    return process


@pytest.mark.parametrize("seconds", [75, 130, 300])
def test_a_start_that_libvirt_says_is_under_way_is_waited_for(*, rig: Rig, seconds: int) -> None:
    process = start_slowly_unscoped(rig)
    rig.pass_time(seconds)
    assert phase(rig) is Phase.PREPARED
    require_untouched(rig)
    assert "win10 has not opened" in rig.messages(Kind.REMARK)[-1]
    assert len([text for text in rig.messages(Kind.REMARK) if "has not opened" in text]) == 1
    process.nodes |= {"/dev/vfio/10", "/dev/vfio/11"}
    assert rig.outcome(rig.manager.started("win10")) is None
    assert phase(rig) is Phase.GUEST
    require_its_end_is_heard(rig, process.pid)


def test_a_slow_start_is_waited_for_by_the_next_daemon_too(rig: Rig) -> None:
    start_slowly_unscoped(rig)
    rig.pass_time(75)
    assert rig.recover() is None
    rig.pass_time(75)
    assert phase(rig) is Phase.PREPARED
    require_untouched(rig)


def test_a_slow_start_that_fails_gives_the_devices_back_at_once(rig: Rig) -> None:
    process = start_slowly_unscoped(rig)
    rig.pass_time(75)
    rig.end_guest(process.pid, "failed")
    assert rig.differences() == {}
    rig.pass_time(1000)
    assert rig.messages(Kind.START_TIMED_OUT) == []


def test_a_file_that_libvirt_does_not_remove_keeps_the_screen_dark_for_minutes_only(
    rig: Rig,
) -> None:
    process = start_slowly_unscoped(rig)
    rig.host.libvirt.hangs = True
    rig.host.user.kill(process.pid)
    rig.pass_time(500)
    assert phase(rig) is Phase.HOST
    assert rig.messages(Kind.START_TIMED_OUT)


def test_the_file_of_a_libvirt_that_does_not_run_says_nothing(rig: Rig) -> None:
    process = start_slowly_unscoped(rig)
    rig.host.libvirt.runs = False
    rig.host.user.kill(process.pid)
    rig.pass_time(61)
    assert phase(rig) is Phase.HOST
    assert rig.differences() == {}


def require_its_end_is_heard(rig: Rig, pid: int) -> None:
    """Though libvirt does not tell of it."""
    rig.host.libvirt.runs = False
    rig.host.user.kill(pid)
    rig.pass_time(1)
    assert phase(rig) is Phase.HOST
    assert rig.differences() == {}


def test_a_guest_that_was_slow_is_watched_once_libvirt_says_that_it_runs(rig: Rig) -> None:
    pid = run_slowly(rig)
    assert rig.outcome(rig.manager.started("win10")) is None
    assert rig.outcome(rig.manager.started("win10")) is None
    assert len(rig.messages(Kind.ADOPTED)) == 1
    require_its_end_is_heard(rig, pid)


def test_a_guest_that_was_slow_is_watched_although_libvirt_says_nothing(rig: Rig) -> None:
    pid = run_slowly(rig)
    rig.pass_time(60)
    rig.pass_time(1000)
    assert len(rig.messages(Kind.ADOPTED)) == 1
    require_its_end_is_heard(rig, pid)


def test_a_guest_that_is_never_seen_to_have_its_devices_ends_with_its_scope(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = run_unseen(rig)
    rig.outcome(rig.manager.started("win10"))
    rig.pass_time(60)
    rig.host.user.kill(pid)
    monkeypatch.setattr(rig.host.guests, "scope", silent)
    rig.pass_time(600)
    assert phase(rig) is Phase.GUEST
    require_untouched(rig)
    monkeypatch.undo()
    rig.pass_time(60)
    assert phase(rig) is Phase.HOST
    assert f"{SCOPE} has ended" in rig.messages(Kind.RETURN_BEGUN)[-1]
    assert rig.differences() == {}


@pytest.mark.parametrize("scope", [SCOPE, ""])
@pytest.mark.parametrize("after", [1, 100])
def test_a_trusted_guest_whose_end_nobody_tells_of_is_missed(
    *, rig: Rig, scope: str, after: float
) -> None:
    """The hook timed out; it may have ended before the first look."""
    assert rig.prepare() is None
    pid = rig.host.user.spawn(Program("qemu"), scope, ["/dev/next-vfio"]).pid
    rig.host.libvirt.began(UUID, pid, pcs.DEVICES)
    rig.outcome(rig.manager.started("win10"))
    rig.pass_time(after)
    assert phase(rig) is Phase.GUEST
    rig.host.user.kill(pid)
    rig.pass_time(120)
    assert phase(rig) is Phase.HOST
    assert f"{scope or 'libvirt'} has ended" in rig.messages(Kind.RETURN_BEGUN)[-1]
    assert rig.differences() == {}


def test_a_trusted_guest_that_systemd_does_not_tell_of_keeps_its_devices(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_unseen(rig)
    monkeypatch.setattr(rig.host.guests, "scope", silent)
    rig.outcome(rig.manager.started("win10"))
    rig.pass_time(1000)
    assert phase(rig) is Phase.GUEST
    require_untouched(rig)


@pytest.mark.parametrize("runs", [True, False])
def test_a_daemon_that_gets_no_answer_at_its_start_asks_again(
    *, rig: Rig, monkeypatch: pytest.MonkeyPatch, runs: bool
) -> None:
    pid = run_unseen(rig)
    rig.outcome(rig.manager.started("win10"))
    if not runs:
        rig.host.user.kill(pid)
    monkeypatch.setattr(rig.host.guests, "scope", silent)
    assert isinstance(rig.recover(), HostError)
    rig.pass_time(100)
    assert phase(rig) is Phase.GUEST
    require_untouched(rig)
    monkeypatch.undo()
    rig.pass_time(60)
    assert phase(rig) is (Phase.GUEST if runs else Phase.HOST)
    assert rig.watcher.press() is runs


def spoil(rig: Rig, patch: pytest.MonkeyPatch, what: str, error: Exception, times: int) -> None:
    """Have this many first calls of a new daemon fail."""
    place: Any = Journal if what == "read" else rig.host.processes
    real, left = getattr(place, what), [times]

    def ask(*arguments: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise error
        return real(*arguments)

    patch.setattr(place, what, ask)


@pytest.mark.parametrize("times", [1, 5])
@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("read", HostError("cannot read journal.json: Too many open files in system")),
        ("vfio_holders", HostError("who has which device open cannot be seen")),
        ("vfio_holders", OSError(23, "Too many open files in system")),
    ],
)
def test_a_daemon_that_cannot_read_at_its_start_what_there_is_reads_again(
    *, rig: Rig, what: str, error: Exception, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = rig.start()
    spoil(rig, monkeypatch, what, error, times)
    assert rig.recover() is error
    rig.pass_time(60 * times)
    assert phase(rig) is Phase.GUEST
    require_untouched(rig)
    assert rig.watcher.press()
    assert len(rig.messages(Kind.STUCK)) == (what == "read")
    rig.host.user.kill(pid)
    rig.pass_time(5)
    assert rig.differences() == {}


def test_what_can_never_be_read_is_not_read_for_ever(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.start()
    spoil(rig, monkeypatch, "read", HostError("the journal cannot be read"), 10_000)
    assert isinstance(rig.recover(), HostError)
    rig.pass_time(3600)
    assert len(rig.messages(Kind.STEP_FAILED)) == 11
    assert len(rig.messages(Kind.STUCK)) == 1


def test_a_daemon_that_reads_again_does_not_follow_a_guest_twice(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was heard of otherwise meanwhile."""
    pid = rig.start()
    spoil(rig, monkeypatch, "read", HostError("cannot read journal.json"), 1)
    rig.recover()
    rig.outcome(rig.manager.started("win10"))
    since = rig.status.read()["seconds"]
    assert len(rig.messages(Kind.ADOPTED)) == 1
    rig.pass_time(70)
    assert len(rig.messages(Kind.ADOPTED)) == 1
    assert rig.status.read()["seconds"] == since + 70
    rig.host.user.kill(pid)
    rig.pass_time(5)
    assert rig.differences() == {}


# The scope


@pytest.mark.parametrize(
    ("name", "unit", "same"),
    [
        ("win10", r"machine-qemu\x2d3\x2dwin10.scope", True),
        ("win10", "machine-qemu-3-win10.scope", True),
        ("win10", r"machine-qemu\x2d3\x2dwin11.scope", False),
        ("win10", r"machine-qemu\x2d3\x2dwin10\x2dold.scope", False),
        ("Spiele (neu)", r"machine-qemu\x2d12\x2dSpieleneu.scope", True),
        ("win10", r"machine-lxc\x2d3\x2dwin10.scope", False),
        ("win10", r"machine-qemu\x2d3\x2dwin\x2d10.scope", False),
        ("win- -10.", r"machine-qemu\x2d3\x2dwin\x2d\x2d10.scope", True),
        ("-win..10", r"machine-qemu\x2d3\x2dwin.10.scope", True),
        (
            "a-b-c-d-e-f-gh-x",
            r"machine-qemu\x2d12\x2da\x2db\x2dc\x2dd\x2de\x2df\x2dgh.scope",
            False,
        ),
        ("a" * 80, rf"machine-qemu\x2d3\x2d{'a' * 57}.scope", True),
        ("a" * 80, rf"machine-qemu\x2d3\x2d{'a' * 56}.scope", False),
        ("a" * 55 + "- b", rf"machine-qemu\x2d3\x2d{'a' * 55}\x2db.scope", True),
        ("a" * 56 + "-b", rf"machine-qemu\x2d3\x2d{'a' * 56}.scope", True),
        ("win10", r"machine-qemu\x2d3\x2d.scope", False),
    ],
)
def test_the_scope_of_a_guest(*, name: str, unit: str, same: bool) -> None:
    assert find_scope(name, ["init.scope", unit]) == (unit if same else None)


def test_only_a_scope_that_is_active_counts() -> None:
    bus, unit = FakeBus(), r"machine-qemu\x2d3\x2dwin10.scope"
    bus.units[unit] = BusUnit(unit)
    guests = LinuxGuests(LinuxUnits(bus), Programs())
    assert guests.scope("win10") == unit
    bus.units[unit].active = "inactive"
    assert guests.scope("win10") is None
