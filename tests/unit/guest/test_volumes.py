"""What disks in a storage pool of libvirt's need of the host."""

import pytest

from tests.fakes import pcs
from vfiod.guest import domain
from vfiod.guest.opened import Opened


def read(disk: str) -> list[Opened]:
    """What is opened besides the disk that each definition of the model has."""
    xml = pcs.xml(()).replace("</devices>", f"{disk}</devices>")
    return list(domain.parse(xml).opened[1:])


def in_pool(pool: str, more: str = "") -> str:
    return f"<disk type='volume'><source pool='{pool}' volume='w.qcow2'{more}/></disk>"


def test_a_pool_is_active_or_starts_by_itself() -> None:
    (found,) = read(in_pool("games"))
    assert found.paths == (
        "/etc/libvirt/hooks/qemu",
        "/etc/libvirt/storage/autostart/games.xml",
        "/run/libvirt/storage/games.xml",
    )
    assert (found.element, found.name) == ("<disk type='volume'>", "w.qcow2")
    assert found.lack == "is in the storage pool games, which is not active"
    assert "sudo virsh --connect qemu:///system pool-start games\n" in found.remedy
    assert "sudo virsh --connect qemu:///system pool-autostart games\n" in found.remedy


@pytest.mark.parametrize(
    ("name", "word"), [("My games", "'My games'"), ("-x", "-x"), ("..", ".."), ("$(id)", "'$(id)'")]
)
def test_a_pool_of_an_odd_name_is_one_file_and_one_word(name: str, word: str) -> None:
    (found,) = read(in_pool(name))
    assert found.paths[1:] == (
        f"/etc/libvirt/storage/autostart/{name}.xml",
        f"/run/libvirt/storage/{name}.xml",
    )
    assert f"pool-start {word}\n" in found.remedy


@pytest.mark.parametrize("policy", ["mandatory", "requisite"])
def test_a_disk_that_a_start_needs(policy: str) -> None:
    assert read(in_pool("games", f" startupPolicy='{policy}'"))


def test_disks_in_one_pool_are_named_one_by_one() -> None:
    assert len(read(in_pool("games") + in_pool("games"))) == 2


@pytest.mark.parametrize(
    "disk",
    [
        in_pool("games", " startupPolicy='optional'"),
        in_pool(""),
        in_pool("../../../etc/passwd"),
        "<disk type='volume'><source pool='games'/></disk>",
        "<disk type='volume'/>",
        "<disk type='file'><source pool='games' volume='w.qcow2'/></disk>",
    ],
)
def test_what_is_not_looked_for(disk: str) -> None:
    assert read(disk) == []
