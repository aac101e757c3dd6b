"""ROMs go where this host's QEMU may read them."""

from pathlib import Path

from tests.fakes.tree import grow
from vfiod.host.facts.romstage import BOTH, read_stages

USR, VAR = BOTH
PACKAGED = "usr/share/vgabios/vfiod/"


def stage(root: Path, *files: str) -> Path:
    (root / PACKAGED).mkdir(parents=True)
    grow(root, dict.fromkeys(files, b""))
    return read_stages(root)[0]


def test_under_apparmor_or_nothing_they_go_where_its_profile_lets_qemu_read(tmp_path: Path) -> None:
    assert stage(tmp_path, "sys/module/apparmor/parameters/enabled") == USR


def test_with_selinux_they_go_among_libvirt_s_own(tmp_path: Path) -> None:
    assert stage(tmp_path, "sys/fs/selinux/enforce") == VAR


def test_on_an_image_of_ostree_they_go_to_var(tmp_path: Path) -> None:
    assert stage(tmp_path, "run/ostree-booted") == VAR


def test_where_no_package_can_have_made_the_folder_they_go_to_var(tmp_path: Path) -> None:
    """NixOS has no /usr/share at all."""
    assert read_stages(tmp_path)[0] == VAR


def test_the_other_folder_is_known_as_well(tmp_path: Path) -> None:
    assert sorted(read_stages(tmp_path)) == sorted(BOTH)
