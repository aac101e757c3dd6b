"""A guest that libvirt does not end: its QEMU is ended by signals, and nobody else's process."""

import signal

import pytest

from tests.fakes import pcs
from tests.fakes.fault import Fault
from tests.fakes.libvirt import UUID
from tests.fakes.rig import Rig
from tests.fakes.userspace import Program
from tests.scenarios.test_late import spoil
from vfiod.errors import HostError, Refused
from vfiod.events import Kind
from vfiod.model import VFIO_DRIVER, Phase

SCOPE = "machine-qemu-1-win10.scope"


@pytest.fixture
def rig(rig: Rig) -> Rig:
    """libvirt's daemon runs and does nothing."""
    rig.host.libvirt.hangs = True
    return rig


def force_off(rig: Rig, name: str = "win10") -> BaseException | None:
    return rig.outcome(rig.manager.force_off(name))


def ignoring(rig: Rig, pid: int, *signals: signal.Signals) -> None:
    """QEMU does not end at these."""
    rig.host.user.processes[pid].program = Program("qemu", ignores=frozenset(signals))


def sent(rig: Rig) -> list[str]:
    return [name for name in rig.host.effects.log if name.startswith("signal qemu")]


def test_a_guest_is_ended_without_libvirt_and_the_display_returns(rig: Rig) -> None:
    pid = rig.start()
    assert force_off(rig) is None
    assert sent(rig) == ["signal qemu 15"]
    assert f"SIGTERM to its QEMU, qemu (pid {pid})" in rig.messages(Kind.REMARK)[-1]
    rig.pass_time(120)
    assert rig.phase is Phase.HOST
    rig.host.libvirt.wake()
    rig.pass_time(120)
    assert rig.differences() == {}


def test_a_qemu_that_hangs_is_killed_ten_seconds_later(rig: Rig) -> None:
    ignoring(rig, rig.start(), signal.SIGTERM)
    began = rig.host.now()
    assert force_off(rig) is None
    assert rig.host.now() - began == 10
    assert sent(rig) == ["signal qemu 15", "signal qemu 9"]
    rig.pass_time(120)
    assert rig.phase is Phase.HOST


def test_one_that_the_kernel_does_not_let_go_is_named(rig: Rig) -> None:
    pid = rig.start()
    ignoring(rig, pid, signal.SIGTERM, signal.SIGKILL)
    error = force_off(rig)
    assert isinstance(error, HostError)
    assert f"win10 has not ended 30 s after SIGKILL: qemu (pid {pid})" in str(error)
    assert "sudo systemctl reboot" in error.hint
    assert rig.phase is Phase.GUEST
    assert {rig.host.pci.driver(address) for address in pcs.DEVICES} == {VFIO_DRIVER}


@pytest.mark.parametrize("unit", ["", "machine-qemu-1-win10b.scope", "dpdk.service"])
def test_what_nobody_says_is_the_guest_s_is_left_alone(rig: Rig, unit: str) -> None:
    pid = rig.start()
    rig.host.libvirt.guests[UUID].pid = pid + 1
    rig.host.user.processes[pid].unit = unit
    error = force_off(rig)
    assert isinstance(error, HostError)
    assert f"qemu (pid {pid}) has /dev/vfio/" in error.message
    assert error.hint.endswith(f"if it is the guest's: sudo kill {pid}")
    assert sent(rig) == []
    assert rig.phase is Phase.GUEST


def test_its_scope_tells_of_it_where_libvirt_has_given_it_up(rig: Rig) -> None:
    pid = rig.start()
    rig.host.libvirt.give_up()
    rig.host.user.processes[pid].unit = SCOPE
    assert force_off(rig) is None
    assert sent(rig) == ["signal qemu 15"]


def test_libvirt_s_file_tells_of_it_where_systemd_hangs(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_name: str) -> str | None:
        raise HostError("no answer to ListUnitsByPatterns in time")

    rig.start()
    monkeypatch.setattr(rig.host.guests, "scope", silent)
    assert force_off(rig) is None
    assert sent(rig) == ["signal qemu 15"]


@pytest.mark.parametrize("name", ["win11", ""])
def test_another_guest_s_is_left_alone(rig: Rig, name: str) -> None:
    rig.start()
    assert isinstance(force_off(rig, name), Refused)
    assert sent(rig) == []


def test_without_a_guest_there_is_nothing_to_end(rig: Rig) -> None:
    assert isinstance(force_off(rig), Refused)
    assert rig.prepare() is None
    assert isinstance(force_off(rig), Refused)


def test_a_second_press_ends_it_also_if_systemd_begins_nothing(rig: Rig) -> None:
    rig.start()
    for seconds, wait in ((60, 2), (0, 120)):
        spoil(rig, f"end guest {seconds}", Fault.FAIL_BEFORE)
        rig.watcher.press()
        rig.pass_time(wait)
    assert sent(rig) == ["signal qemu 15"]
    assert rig.phase is Phase.HOST
