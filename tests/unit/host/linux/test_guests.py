"""libvirt's word on a guest, read from its status files, and its daemon, started if need be."""

from pathlib import Path

import pytest

from tests.fakes import pcs
from tests.fakes.bus import BusUnit, FakeBus
from vfiod.host.linux.guest_end import LinuxGuests
from vfiod.host.linux.process import Programs
from vfiod.host.linux.units import LinuxUnits

STATUS = "<domstatus state='running' pid='7'><domain><uuid>{}</uuid></domain></domstatus>"


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


def guests(bus: FakeBus, status: Path = Path("/nonexistent")) -> LinuxGuests:
    return LinuxGuests(LinuxUnits(bus), Programs(), status)


def running(bus: FakeBus) -> list[str]:
    return [name for name, unit in bus.units.items() if unit.active == "active"]


def test_a_guest_with_a_status_file_is_not_cleaned_up(bus: FakeBus, tmp_path: Path) -> None:
    (tmp_path / "win10.xml").write_text(STATUS.format(pcs.UUID))
    assert not guests(bus, tmp_path).is_cleaned_up(pcs.UUID)


def test_other_guests_and_other_files_do_not_count(bus: FakeBus, tmp_path: Path) -> None:
    (tmp_path / "debian.xml").write_text(STATUS.format("00000000-0000-0000-0000-000000000000"))
    (tmp_path / "win10.pid").write_text("7")
    assert guests(bus, tmp_path).is_cleaned_up(pcs.UUID)


def test_without_libvirt_there_is_nothing_to_clean_up(bus: FakeBus) -> None:
    assert guests(bus).is_cleaned_up(pcs.UUID)


@pytest.mark.parametrize(
    ("text", "pid"),
    [
        (STATUS, 7),
        (STATUS.replace("pid='7'", "pid='-1'"), None),
        (STATUS.replace(" pid='7'", ""), None),
        ("<domstatus state='running'><uuid>{}</uuid><vcpu id='0' pid='8'/></domstatus>", None),
        ("<uuid>{}</uuid>", None),
    ],
)
def test_the_process_that_libvirt_has_written_down(
    bus: FakeBus, tmp_path: Path, text: str, pid: int | None
) -> None:
    (tmp_path / "debian.xml").write_text(STATUS.format("00000000-0000-0000-0000-000000000000"))
    (tmp_path / "win10.xml").write_text(text.format(pcs.UUID))
    assert guests(bus, tmp_path).qemu(pcs.UUID) == pid


def test_of_another_guest_it_has_written_nothing(bus: FakeBus, tmp_path: Path) -> None:
    (tmp_path / "debian.xml").write_text(STATUS.format("00000000-0000-0000-0000-000000000000"))
    assert guests(bus, tmp_path).qemu(pcs.UUID) is None


def test_a_daemon_that_runs_is_left_alone(bus: FakeBus) -> None:
    bus.units["virtqemud.service"] = BusUnit("virtqemud.service", active="active")
    found = guests(bus)
    assert found.libvirt_runs()
    found.wake_libvirt()
    assert running(bus) == ["virtqemud.service"]


def test_the_daemon_whose_socket_listens_is_started(bus: FakeBus) -> None:
    for name in ("libvirtd.service", "virtqemud.service"):
        bus.units[name] = BusUnit(name, active="inactive")
    bus.units["virtqemud.socket"] = BusUnit("virtqemud.socket", active="active")
    guests(bus).wake_libvirt()
    assert "virtqemud.service" in running(bus)
    assert "libvirtd.service" not in running(bus)


def test_without_a_socket_the_one_that_is_installed_is(bus: FakeBus) -> None:
    bus.units["virtqemud.service"] = BusUnit("virtqemud.service", active="inactive")
    guests(bus).wake_libvirt()
    assert "virtqemud.service" in running(bus)
    assert "libvirtd.service" not in running(bus)


def test_one_that_is_masked_stays_away(bus: FakeBus) -> None:
    bus.units["libvirtd.service"] = BusUnit("libvirtd.service", active="inactive", load="masked")
    found = guests(bus)
    found.wake_libvirt()
    assert not found.libvirt_runs()
