"""libvirt's daemon is stopped while a guest has the screen: without it the guest never ends."""

from collections.abc import Callable

import pytest

from tests.fakes.fault import Fault
from tests.fakes.libvirt import UUID
from tests.fakes.rig import Rig
from tests.fakes.userspace import Program
from vfiod.errors import HostError
from vfiod.events import Kind
from vfiod.model import Phase

HOUR = 3600.0
SCOPE = "machine-qemu-1-win10.scope"


def told(rig: Rig) -> list[str]:
    return [text for text in rig.messages(Kind.REMARK) if "libvirt's daemon" in text]


def woken(rig: Rig) -> int:
    return rig.host.effects.log.count("wake libvirt")


def test_a_guest_that_powers_itself_off_gives_the_display_back(rig: Rig) -> None:
    pid = rig.start()
    rig.host.libvirt.runs = False
    rig.host.libvirt.powers_off(pid)
    rig.pass_time(120)
    assert rig.phase is Phase.HOST
    assert rig.differences() == {}
    assert len(told(rig)) == 1
    assert "without it win10 stays in its QEMU when it shuts down" in told(rig)[0]
    assert "it is started" in told(rig)[0]


def test_so_does_one_that_is_adopted(rig: Rig) -> None:
    pid = rig.start()
    assert rig.recover() is None
    rig.host.libvirt.runs = False
    rig.host.libvirt.powers_off(pid)
    rig.pass_time(120)
    assert rig.phase is Phase.HOST


def test_and_one_that_is_not_seen_to_have_its_devices(rig: Rig) -> None:
    assert rig.prepare() is None
    pid = rig.host.user.spawn(Program("qemu"), SCOPE, ["/dev/next-vfio"]).pid
    rig.host.libvirt.began(UUID, pid, ())
    assert rig.outcome(rig.manager.started("win10")) is None
    rig.host.libvirt.runs = False
    rig.host.libvirt.powers_off(pid)
    rig.pass_time(240)
    assert rig.phase is Phase.HOST


def test_who_is_seen_late_is_looked_after_no_more_often(rig: Rig) -> None:
    """Trusted first and adopted then, it has one daemon that is started three times."""
    assert rig.prepare() is None
    pid = rig.host.user.spawn(Program("qemu"), SCOPE, ["/dev/next-vfio"]).pid
    rig.host.libvirt.began(UUID, pid, ())
    assert rig.outcome(rig.manager.started("win10")) is None
    rig.host.user.processes[pid].nodes.update(rig.host.kernel.vfio_nodes(10))
    rig.pass_time(200)
    for _ in range(6):
        rig.host.libvirt.runs = False
        rig.pass_time(200)
    assert woken(rig) == 3


def test_one_that_runs_on_keeps_its_devices(rig: Rig) -> None:
    rig.start()
    rig.host.libvirt.runs = False
    rig.pass_time(HOUR)
    assert rig.host.libvirt.runs
    assert (woken(rig), rig.phase) == (1, Phase.GUEST)


def test_a_daemon_that_runs_is_left_alone(rig: Rig) -> None:
    rig.start()
    rig.pass_time(HOUR)
    assert (woken(rig), told(rig)) == (0, [])


def test_who_stops_it_again_and_again_is_let_have_it(rig: Rig) -> None:
    rig.start()
    for _ in range(10):
        rig.host.libvirt.runs = False
        rig.pass_time(180)
    assert woken(rig) == 3
    assert len(told(rig)) == 3
    assert "not again for this guest" in told(rig)[-1]
    rig.pass_time(HOUR)
    assert not rig.host.libvirt.runs


def test_one_that_cannot_be_started_is_told_of_once(rig: Rig) -> None:
    rig.start()
    rig.host.libvirt.runs = rig.host.libvirt.starts = False
    rig.pass_time(HOUR)
    assert len(told(rig)) == 1
    assert "does not run and cannot be started" in told(rig)[0]
    assert "sudo vfiod return --destroy" in told(rig)[0]


def test_after_the_guest_nobody_starts_it(rig: Rig) -> None:
    rig.end_guest(rig.start())
    rig.host.libvirt.runs = False
    rig.pass_time(HOUR)
    assert not rig.host.libvirt.runs


def test_the_next_guest_is_looked_after_as_well(rig: Rig) -> None:
    rig.end_guest(rig.start())
    pid = rig.start()
    rig.host.libvirt.runs = False
    rig.host.libvirt.powers_off(pid)
    rig.pass_time(120)
    assert rig.phase is Phase.HOST


def test_a_host_that_shuts_down_is_let_stop_it(rig: Rig) -> None:
    rig.start()
    rig.host.user.shutting_down = True
    rig.host.libvirt.runs = False
    rig.pass_time(HOUR)
    assert (woken(rig), told(rig)) == (0, [])


@pytest.mark.parametrize("door", ["libvirt_runs", "wake_libvirt"])
def test_a_systemd_that_is_away_for_a_moment_is_asked_again(
    rig: Rig, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = rig.start()
    real: Callable[[], object] = getattr(rig.host.guests, door)
    silences = 2

    def answer() -> object:
        nonlocal silences
        silences -= 1
        if silences >= 0:
            raise HostError("no answer to GetUnit in time")
        return real()

    monkeypatch.setattr(rig.host.guests, door, answer)
    rig.host.libvirt.runs = False
    rig.host.libvirt.powers_off(pid)
    rig.pass_time(300)
    assert rig.phase is Phase.HOST


def test_a_start_of_it_that_fails_is_not_tried_every_minute(rig: Rig) -> None:
    rig.start()
    rig.host.libvirt.runs = False
    rig.host.effects.plan(dict.fromkeys(range(1, 100), Fault.FAIL_BEFORE))
    rig.pass_time(HOUR)
    assert woken(rig) <= 3
