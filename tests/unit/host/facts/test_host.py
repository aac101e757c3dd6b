"""Display manager, lingering users, memory, framebuffers, the way to a file, systemd's units."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.tree import Contents, Link, grow
from vfiod.errors import HostError
from vfiod.host.facts.desktop import Desktop, read_desktop
from vfiod.host.facts.file_access import read_path_access
from vfiod.host.facts.memory import Memory, read_memory
from vfiod.host.facts.qemu_user import Account, read_account
from vfiod.host.facts.screen import read_framebuffers
from vfiod.host.facts.units import UnitState, read_units
from vfiod.model import FirmwareFramebuffer, PciAddress

ALIAS = "etc/systemd/system/display-manager.service"


@pytest.mark.parametrize(("target", "manager", "masked"), [
    ("/lib/systemd/system/lightdm.service", "lightdm.service", False), ("/dev/null", "", True),
])  # fmt: skip
def test_display_manager(tmp_path: Path, target: str, manager: str, masked: object) -> None:
    grow(tmp_path, {ALIAS: Link(target)})
    assert read_desktop(tmp_path) == Desktop(manager, bool(masked), ())


def test_lingering_users(tmp_path: Path) -> None:
    grow(tmp_path, {"var/lib/systemd/linger/alice": ""})
    assert read_desktop(tmp_path) == Desktop("", masked=False, lingering=("alice",))


def test_memory(tmp_path: Path) -> None:
    text = (
        "MemTotal:       16000000 kB\nMemAvailable:   12000000 kB\nHugePages_Total:      10\n"
        "HugePages_Free:        4\nHugepagesize:       2048 kB\n"
    )
    grow(tmp_path, {"proc/meminfo": text})
    assert read_memory(tmp_path) == Memory(16000000 * 1024, 12000000 * 1024, 2**21, 10, 4)


def test_no_memory_to_read_of(tmp_path: Path) -> None:
    assert read_memory(tmp_path) == Memory(0, 0, 0, 0, 0)


def test_framebuffers(tmp_path: Path) -> None:
    drivers = "sys/bus/platform/drivers"
    grow(tmp_path, {
        f"{drivers}/efi-framebuffer/efi-framebuffer.0/x": "",
        f"{drivers}/simple-framebuffer/bind": "",
    })  # fmt: skip
    efi = FirmwareFramebuffer("efi-framebuffer.0", "efi-framebuffer")
    assert read_framebuffers(tmp_path) == (efi,)
    assert read_framebuffers(tmp_path)[0].parent is None


def test_framebuffers_of_any_firmware_with_the_card_they_are_on(tmp_path: Path) -> None:
    drivers, card = "sys/bus/platform/drivers", "sys/devices/pci0000:00/0000:c5:00.0"
    grow(tmp_path, {
        f"{card}/efi-framebuffer.0/x": "",
        f"{drivers}/efi-framebuffer/efi-framebuffer.0": Link(f"{card}/efi-framebuffer.0"),
        f"{drivers}/coreboot-framebuffer/coreboot-framebuffer.0/x": "",
        f"{drivers}/framebuffer/framebuffer.0/x": "",
    })  # fmt: skip
    found = {f.device: f.parent for f in read_framebuffers(tmp_path)}
    on = PciAddress.parse("c5:00.0")
    assert found == {"coreboot-framebuffer.0": None, "efi-framebuffer.0": on}


# The way to a file


def test_a_file_that_all_may_reach(tmp_path: Path) -> None:
    grow(tmp_path, {"var/lib/win10.img": ""})
    found = read_path_access("/var/lib/win10.img", tmp_path)
    assert (found.exists, found.closed) == (True, "")


def test_the_first_closed_directory_is_named(tmp_path: Path) -> None:
    grow(tmp_path, {"home/alice/vm/win10.img": ""})
    for name in ("home/alice/vm", "home/alice"):
        (tmp_path / name).chmod(0o700)
    found = read_path_access("/home/alice/vm/win10.img", tmp_path)
    assert (found.exists, found.closed) == (True, "/home/alice")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    found = read_path_access("/var/lib/win10.img", tmp_path)
    assert (found.exists, found.closed) == (False, "")


PASSWD = "root:x:0:0::/root:/bin/sh\nlibvirt-qemu:x:64055:110::/:/bin/false\n"
GROUP = "kvm:x:110:\nvms:x:200:alice,libvirt-qemu\nother:x:201:alice\n"
ACCOUNTS = {"etc/passwd": PASSWD, "etc/group": GROUP}
QEMU = Account("libvirt-qemu", 64055, frozenset({110, 200}))


@pytest.mark.parametrize(("files", "account"), [
    ({}, None),
    (ACCOUNTS, QEMU),
    ({"usr/lib/passwd": PASSWD, "usr/lib/group": GROUP}, QEMU),
    (ACCOUNTS | {"etc/libvirt/qemu.conf": '#user = "root"\ngroup = "other"\n'},
     Account("libvirt-qemu", 64055, frozenset({110, 200, 201}))),
    (ACCOUNTS | {"etc/libvirt/qemu.conf": 'user = "+64055"\n'}, QEMU),
    (ACCOUNTS | {"etc/libvirt/qemu.conf": 'user = "nobody-here"\n'}, None),
    *((ACCOUNTS | {"etc/libvirt/qemu.conf": f'user = "{name}"\n'},
       Account("root", 0, frozenset())) for name in ("root", "0", "+0")),
    (ACCOUNTS | {"etc/os-release": "ID=nixos\n"}, Account("root", 0, frozenset())),
])  # fmt: skip
def test_whom_qemu_runs_as(
    tmp_path: Path, files: dict[str, Contents], account: Account | None
) -> None:
    grow(tmp_path, files)
    assert read_account(tmp_path) == account


@pytest.mark.parametrize(("mode", "owner", "account", "closed"), [
    (0o770, (64055, 0), QEMU, False), (0o770, (1000, 200), QEMU, False),
    (0o770, (1000, 1000), QEMU, True), (0o707, (1000, 200), QEMU, True),
    (0o077, (64055, 0), QEMU, True), (0o701, (1000, 1000), QEMU, False),
    (0o700, (1000, 1000), Account("root", 0, frozenset()), False),
    (0o700, (1000, 1000), None, True), (0o750, (1000, 1000), None, False),
])  # fmt: skip
def test_a_directory_lets_owner_group_or_others_pass(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: int,
    owner: tuple[int, int],
    account: Account | None,
    closed: bool,  # noqa: FBT001
) -> None:
    place = tmp_path / "srv/vms"
    grow(tmp_path, {"srv/vms/a.img": ""})
    plain = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        told = plain(path, follow_symlinks=follow_symlinks)
        kind = told.st_mode & ~0o777
        mine = (kind | mode, *told[1:4], *owner, *told[6:])
        return os.stat_result(mine) if path == place else told

    monkeypatch.setattr(Path, "stat", stat)
    found = read_path_access("/srv/vms/a.img", tmp_path, account)
    assert found.closed == ("/srv/vms" if closed else "")


# Units


class Systemd:
    """Answers as systemd does for one unit."""

    def __init__(self, values: dict[str, Any] | None) -> None:
        self.values = values

    def call(self, _service: str, _path: str, _method: str, _types: str, name: str) -> Any:
        return (f"/unit/{name}",)

    def get_each(
        self, _service: str, paths: Sequence[str], _interface: str, names: Sequence[str]
    ) -> Any:
        assert paths == ["/unit/display-manager.service"]
        return [self.values and {name: self.values[name] for name in names}]


def test_units() -> None:
    values = {
        "Id": "lightdm.service", "LoadState": "loaded", "ActiveState": "active",
        "UnitFileState": "enabled", "CanStart": True, "CanStop": False,
        "StateChangeTimestamp": 1_700_000_000_500_000,
    }  # fmt: skip
    found = read_units(Systemd(values), ["display-manager.service"])  # type: ignore[arg-type]
    assert found == {
        "display-manager.service": UnitState(
            "lightdm.service", "loaded", "active", "enabled", can_stop=False,
            changed=1_700_000_000.5,
        )
    }  # fmt: skip


def test_a_unit_that_systemd_has_dropped() -> None:
    with pytest.raises(HostError, match=r"no unit display-manager\.service any more"):
        read_units(Systemd(None), ["display-manager.service"])  # type: ignore[arg-type]


@pytest.mark.parametrize(("state", "running"), [
    ("active", True), ("reloading", True), ("activating", True), ("failed", False),
])  # fmt: skip
def test_running(state: str, running: object) -> None:
    assert UnitState("x", "loaded", state).running is running
