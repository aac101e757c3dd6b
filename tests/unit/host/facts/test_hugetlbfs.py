"""Sizes of huge pages that are mounted where libvirt looks for them."""

from pathlib import Path

import pytest

from tests.fakes.tree import grow
from vfiod.host.facts.hugetlbfs import read_mounted

MIB, GIB = 2**20, 2**30
ROOT = "21 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n"
SMALL = "36 24 0:32 / /dev/hugepages rw,nosuid shared:15 - hugetlbfs hugetlbfs rw,pagesize=2M\n"
LARGE = "99 24 0:51 / /dev/hugepages1G rw,relatime - hugetlbfs none rw,gid=64055,pagesize=1024M\n"
OWN = "99 24 0:51 / /mnt/own rw,relatime shared:7 master:3 - hugetlbfs none rw,pagesize=64K\n"
PLAIN = "36 24 0:32 / /dev/hugepages rw shared:15 - hugetlbfs hugetlbfs rw\n"


def mounted(tmp_path: Path, mounts: str, settings: str = "", default: int = 2048) -> frozenset[int]:
    grow(
        tmp_path,
        {
            "proc/meminfo": f"Hugepagesize:    {default} kB\n",
            "proc/self/mountinfo": mounts,
            "etc/libvirt/qemu.conf": settings,
        },
    )
    return read_mounted(tmp_path)


@pytest.mark.parametrize(
    ("mounts", "sizes"),
    [
        ("", set()),
        (ROOT, set()),
        (ROOT + SMALL, {2 * MIB}),
        (SMALL + LARGE + OWN, {2 * MIB, GIB, 2**16}),
        ("99 24 0:51 / /x rw - hugetlbfs none rw,pagesize=1G\n", {GIB}),
        ("99 24 0:51 / /x rw - hugetlbfs none rw,pagesize=2097152\n", {2 * MIB}),
        ("99 24 0:51 / /hugetlbfs rw - tmpfs hugetlbfs rw,pagesize=2M\n", set()),
    ],
)
def test_the_size_is_an_option_of_the_mount(tmp_path: Path, mounts: str, sizes: set[int]) -> None:
    assert mounted(tmp_path, mounts) == sizes


@pytest.mark.parametrize("default", [2048, 1048576])
def test_a_mount_that_names_no_size_has_the_default_one(tmp_path: Path, default: int) -> None:
    assert mounted(tmp_path, PLAIN, default=default) == {default * 1024}


@pytest.mark.parametrize(
    ("setting", "sizes"),
    [
        ('hugetlbfs_mount = "/dev/hugepages1G"\n', {GIB}),
        ('  hugetlbfs_mount=[ "/dev/hugepages",\n "/dev/hugepages1G/" ]\n', {2 * MIB, GIB}),
        ("hugetlbfs_mount = '/dev/hugepages/of/mine'\n", {2 * MIB}),
        ('#hugetlbfs_mount = "/dev/hugepages1G"\n', {2 * MIB, GIB}),
        ('user = "root"\n', {2 * MIB, GIB}),
    ],
)
def test_mounts_that_qemu_conf_names_are_all_that_counts(
    tmp_path: Path, setting: str, sizes: set[int]
) -> None:
    assert mounted(tmp_path, SMALL + LARGE, setting) == sizes


@pytest.mark.parametrize("setting", ["/run/hugepages", "/dev/hugepages2", ""])
def test_a_name_that_tells_nothing_rules_nothing_out(tmp_path: Path, setting: str) -> None:
    settings = f'hugetlbfs_mount = ["/dev/hugepages1G", "{setting}"]\n'
    assert mounted(tmp_path, SMALL + LARGE, settings) == {2 * MIB, GIB}


def test_a_host_that_says_nothing(tmp_path: Path) -> None:
    assert read_mounted(tmp_path) == frozenset()
