"""Who has the devices: by group or by iommufd, seen or not, and nothing is taken from under it."""

from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.bus import BusUnit, FakeBus
from tests.fakes.rig import Bench
from tests.fakes.userspace import Program
from vfiod.errors import Busy, HostError
from vfiod.events import Kind
from vfiod.host.linux.guest_end import LinuxGuests, find_scope
from vfiod.host.linux.process import Programs
from vfiod.host.linux.units import LinuxUnits
from vfiod.model import VFIO_DRIVER, Phase

SCOPE = "machine-qemu-1-win10.scope"


@pytest.fixture
def bench(run_directory: Path) -> Bench:
    return Bench(pcs.desktop(), run_directory)


def phase(bench: Bench) -> Phase:
    return bench.phase


def require_untouched(bench: Bench) -> None:
    assert {bench.host.pci.driver(address) for address in pcs.DEVICES} == {VFIO_DRIVER}
    assert bench.host.kernel.mishaps == []


# iommufd


def start_on_iommufd(bench: Bench) -> int:
    assert bench.prepare() is None
    pid = bench.host.start_guest(pcs.DEVICES, iommufd=True).pid
    assert bench.outcome(bench.manager.started("win10")) is None
    return pid


def test_a_guest_on_iommufd_is_followed(bench: Bench) -> None:
    pid = start_on_iommufd(bench)
    assert phase(bench) is Phase.GUEST
    bench.pass_time(1000)
    require_untouched(bench)
    assert isinstance(bench.return_devices(), Busy)
    assert bench.recover() is None
    assert phase(bench) is Phase.GUEST
    bench.host.user.kill(pid)
    bench.pass_time(1)
    assert phase(bench) is Phase.HOST
    assert bench.differences() == {}


def test_a_guest_on_iommufd_that_ends_slowly_is_waited_for(bench: Bench) -> None:
    start_on_iommufd(bench)
    bench.manager.release("win10", "failed")
    bench.queue.run_all()
    assert phase(bench) is Phase.STUCK
    require_untouched(bench)


def test_another_guest_on_iommufd_is_seen_before_a_start(bench: Bench) -> None:
    host = bench.host
    host.kernel.modules["vfio_pci"] = True
    host.pci.rebind(pcs.USB, VFIO_DRIVER, seconds=1)
    host.start_guest((pcs.USB,), iommufd=True)
    assert "another guest has a device of win10" in str(bench.prepare())


# A guest that runs and is not seen to have its devices


def run_unseen(bench: Bench) -> int:
    """QEMU holds its devices by something that nobody here has heard of."""
    assert bench.prepare() is None
    return bench.host.user.spawn(Program("qemu"), SCOPE, ["/dev/next-vfio"]).pid


@pytest.mark.parametrize("told", [True, False])
def test_a_guest_that_runs_unseen_keeps_its_devices(*, bench: Bench, told: bool) -> None:
    pid = run_unseen(bench)
    if told:
        bench.outcome(bench.manager.started("win10"))
    bench.pass_time(10_000)
    assert phase(bench) is Phase.GUEST
    require_untouched(bench)
    assert "no process is seen to have" in bench.messages(Kind.REMARK)[-1]
    error = bench.return_devices()
    assert isinstance(error, Busy)
    assert SCOPE in str(error)
    assert bench.watcher.press()
    bench.end_guest(pid)
    assert phase(bench) is Phase.HOST
    assert bench.differences() == {}


def test_a_guest_that_runs_unseen_is_left_alone_over_a_restart(bench: Bench) -> None:
    pid = run_unseen(bench)
    bench.outcome(bench.manager.started("win10"))
    assert bench.recover() is None
    bench.pass_time(10_000)
    assert phase(bench) is Phase.GUEST
    require_untouched(bench)
    bench.host.user.kill(pid)
    assert bench.return_devices() is None
    assert bench.differences() == {}


def test_a_guest_that_libvirt_says_runs_keeps_its_devices_until_libvirt_says_otherwise(
    bench: Bench,
) -> None:
    """Neither its scope nor its nodes are found."""
    bench.prepare()
    assert bench.outcome(bench.manager.started("win10")) is None
    bench.pass_time(10_000)
    assert phase(bench) is Phase.GUEST
    require_untouched(bench)
    bench.manager.release("win10", "shutdown")
    bench.queue.run_all()
    assert bench.differences() == {}


def test_as_long_as_nobody_can_say_whether_it_runs_nothing_is_taken_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_name: str) -> str | None:
        raise HostError("no answer to ListUnitsByPatterns in time")

    bench.prepare()
    monkeypatch.setattr(bench.host.guests, "scope", silent)
    bench.pass_time(1000)
    bench.pass_time(1000)
    assert phase(bench) is Phase.PREPARED
    require_untouched(bench)
    monkeypatch.undo()
    bench.pass_time(100)
    assert bench.differences() == {}


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
        ("a" * 80, rf"machine-qemu\x2d3\x2d{'a' * 50}.scope", True),
        ("a" * 80, r"machine-qemu\x2d3\x2daaa.scope", False),
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
