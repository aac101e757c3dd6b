"""What the guest opens in a home that goes with the logout is refused while it is there."""

import pytest

from tests.fakes import pcs
from tests.fakes.host import FakeHost
from tests.unit.handoff.decision.test_checks import faults, only
from vfiod.model import Mount, Session

HOME = "/home/alice"
DISK = f"{HOME}/vm/win10.qcow2"
XML = pcs.xml(disk=DISK)
HOMED = 60001


def mounted(
    point: str, kind: str, host: FakeHost | None = None, served_by: int | None = None
) -> FakeHost:
    host = host or pcs.desktop()
    host.files.mounted.append(Mount(point, kind, served_by))
    return host


def homed() -> FakeHost:
    """alice is one of systemd-homed's users, whose image is on a file system as any other."""
    host = mounted(HOME, "btrfs", pcs.greeter())
    host.logins.homes[HOMED] = HOME
    alice = Session("2", "alice", HOMED, "seat0", "user", graphical=True, unit="session-2.scope")
    host.user.log_in(alice)
    return host


@pytest.mark.parametrize("kind", ["ecryptfs", "fuse.gocryptfs", "fuse.encfs"])
def test_a_disk_in_a_home_that_is_unmounted_at_the_logout(kind: str) -> None:
    fault = only(mounted(HOME, kind), xml=XML)
    assert fault.message == (
        f"the guest's <disk> {DISK} is in the home of alice, which is unmounted when alice's "
        "session ends"
    )
    assert fault.hint == (
        "move it out of there, a disk to /var/lib/libvirt/images\n"
        "to change it: virsh --connect qemu:///system edit win10"
    )


def test_one_in_a_home_of_systemd_homed_s() -> None:
    assert "the home of alice, which is unmounted" in only(homed(), xml=XML).message


def test_one_in_a_private_folder_in_a_home() -> None:
    """ecryptfs-setup-private(1): the folder is unmounted, the rest of the home is not."""
    host = mounted(f"{HOME}/Private", "ecryptfs")
    assert faults(host, xml=XML) == []
    assert "/Private/x" in only(host, xml=pcs.xml(disk=f"{HOME}/Private/x")).message


@pytest.mark.parametrize("kind", ["ext4", "btrfs", "nfs4", "zfs", "fuseblk"])
@pytest.mark.parametrize("point", ["/home", HOME])
def test_a_home_on_a_partition_or_server_of_its_own_stays(point: str, kind: str) -> None:
    assert faults(mounted(point, kind), xml=XML) == []


@pytest.mark.parametrize(
    ("point", "kind"),
    [
        ("/home", "fuse.glusterfs"),  # everybody's
        (f"{HOME}/vm", "fuse.mergerfs"),  # fstab's
        ("/home/alice2", "ecryptfs"),
        ("/home/bob", "ecryptfs"),  # is not logged in
    ],
)
@pytest.mark.parametrize("served_by", [None, 0])
def test_what_else_is_mounted_there_is_no_reason(
    point: str, kind: str, served_by: int | None
) -> None:
    assert faults(mounted(point, kind, served_by=served_by), xml=XML) == []
    xml = pcs.xml(disk=f"{point}/x")
    assert faults(mounted(point, kind, served_by=served_by), xml=xml) == []


@pytest.mark.parametrize("kind", ["fuse.gocryptfs", "fuse.sshfs", "fuse", "fuseblk"])
@pytest.mark.parametrize("point", [f"{HOME}/vm", "/mnt/vault"])
def test_a_disk_that_a_program_of_the_session_s_serves(point: str, kind: str) -> None:
    """FUSE, mounted from a terminal or by pam_mount on a folder, wherever that is."""
    disk = f"{point}/win10.qcow2"
    fault = only(mounted(point, kind, served_by=1000), xml=pcs.xml(disk=disk))
    assert fault.message == (
        f"the guest's <disk> {disk} is on a file system ({kind}, at {point}) that is served by a "
        "program of alice's, which ends with the session"
    )
    assert fault.hint == (
        "move it out of there, a disk to /var/lib/libvirt/images, or have the file system mounted "
        "by root, as by /etc/fstab\n"
        "to change it: virsh --connect qemu:///system edit win10"
    )


def test_one_that_is_served_needs_no_home_to_be_known() -> None:
    host = mounted(f"{HOME}/vm", "fuse.gocryptfs", served_by=1000)
    host.logins.homes.clear()
    assert "served by a program of alice's" in only(host, xml=XML).message


def test_a_home_that_is_served_goes_as_a_home() -> None:
    host = mounted(HOME, "fuse.gocryptfs", served_by=1000)
    assert "the home of alice" in only(host, xml=XML).message


def test_a_disk_beside_what_is_served_is_fine() -> None:
    assert faults(mounted(f"{HOME}/vault", "fuse.gocryptfs", served_by=1000), xml=XML) == []


def test_what_somebody_serves_who_does_not_leave_stays() -> None:
    served = mounted(f"{HOME}/vm", "fuse.sshfs", served_by=1001)
    assert faults(served, xml=XML) == []  # bob's, who is not logged in
    served = mounted(f"{HOME}/vm", "fuse.sshfs", pcs.staying(), served_by=1000)
    assert faults(served, xml=XML) == []
    served = mounted(f"{HOME}/vm", "fuse.sshfs", pcs.desktop(pcs.on_vfio()), served_by=1000)
    assert faults(served, xml=XML) == []


def test_a_user_of_whom_something_stays_keeps_the_home() -> None:
    host = mounted(HOME, "ecryptfs", pcs.staying())
    assert faults(host, xml=XML) == []
    host = mounted(HOME, "ecryptfs")
    host.user.log_in(Session("9", "alice", 1000, "", "user", unit="session-9.scope"))
    assert faults(host, xml=XML) == []  # by ssh


def test_a_desktop_that_stays_keeps_it_too() -> None:
    assert faults(mounted(HOME, "ecryptfs", pcs.desktop(pcs.on_vfio())), xml=XML) == []


def test_a_disk_elsewhere_and_a_rom_are_fine() -> None:
    assert faults(mounted(HOME, "ecryptfs")) == []  # the ROM is in this home, and is put elsewhere
    assert faults(homed()) == []


def test_what_is_not_there_is_said_once() -> None:
    host = mounted(HOME, "ecryptfs")
    host.files.absent.add(DISK)
    assert "does not exist" in only(host, xml=XML).message


def test_a_home_that_nobody_can_name_is_no_reason() -> None:
    host = mounted(HOME, "ecryptfs")
    host.logins.homes.clear()
    assert faults(host, xml=XML) == []


def test_homes_are_asked_for_only_where_one_might_go(monkeypatch: pytest.MonkeyPatch) -> None:
    host, asked = pcs.desktop(), list[int]()

    def home(uid: int) -> str:
        asked.append(uid)
        return HOME

    monkeypatch.setattr(host.logins, "home", home)
    faults(host, xml=XML)
    assert asked == []
    faults(mounted(HOME, "ecryptfs", host), xml=XML)
    assert asked == [1000]


def test_a_home_is_named_with_a_slash_at_its_end() -> None:
    host = mounted(HOME, "ecryptfs")
    host.logins.homes[1000] = f"{HOME}/"
    assert "the home of alice" in only(host, xml=XML).message
