"""What of vfiod is on a host is found, and nothing else is taken for it."""

import re
from pathlib import Path

import pytest

from tests.unit.host.facts.test_boot import tree
from vfiod.tools import remains

ROOT = Path(__file__).parents[3]

OURS = {
    "run/vfiod/journal.json": "{}",
    "var/lib/vfiod/setup.json": "{}",
    "etc/default/grub.d/50-vfiod.cfg": "",
    "etc/modprobe.d/vfiod.conf": "",
    "etc/modules-load.d/vfiod.conf": "",
    "etc/libvirt/hooks/qemu.d/50-vfiod": "#!/bin/sh\n# Installed by vfiod.service\n",
    "usr/local/share/applications/vfiod-1.desktop": "[Desktop Entry]\nX-Vfiod-Guest=win10\n",
    "usr/share/wayland-sessions/vfiod-1.desktop": "[Desktop Entry]\nX-Vfiod-Guest=win10\n",
    "usr/local/share/xsessions/vfiod-1.desktop": "[Desktop Entry]\nX-Vfiod-Guest=win10\n",
    "etc/greetd/environments": "sway\n/usr/bin/vfiod session 1\n",
    "usr/share/vgabios/vfiod/0000:01:00.0.rom": "",
    "usr/share/vgabios/vfiod/.0000:01:00.0.rom.sha256": "",
    "var/lib/libvirt/vfiod/0000:01:00.0.rom": "",
    "var/lib/libvirt/vfiod/.0000:01:00.0.rom.sha256": "",
    "etc/vfiod/vfiod.yaml": "",
    "var/lib/vfiod/backups/win10+1": "",
}


def test_everything_of_ours_is_found_with_a_remedy(tmp_path: Path) -> None:
    found = remains.read(tree(tmp_path, OURS))
    assert not [remain for remain in found if "guest with" in remain.what]
    expected = {f"/{path}" for path in OURS} - {"/etc/vfiod/vfiod.yaml"}
    assert {remain.path for remain in found} == {*expected, "/etc/vfiod", "/run/vfiod"}
    assert all(remain.what and remain.remedy for remain in found)


@pytest.mark.parametrize(
    ("ident", "hook", "folder"),
    [
        ("debian", "sudo apt remove vfiod", "sudo apt purge vfiod"),
        ("arch", "sudo pacman -R vfiod", "sudo rm -r /etc/vfiod"),
        ("unheard-of", "remove the vfiod package", "sudo rm -r /etc/vfiod"),
    ],
)
def test_the_remedy_is_this_distribution_s(
    tmp_path: Path, ident: str, hook: str, folder: str
) -> None:
    found = remains.read(tree(tmp_path, {**OURS, "etc/os-release": f"ID={ident}\n"}))
    remedies = {remain.path: remain.remedy for remain in found}
    assert remedies["/etc/libvirt/hooks/qemu.d/50-vfiod"] == hook
    assert remedies["/etc/vfiod"] == folder


def test_an_empty_host_has_nothing(tmp_path: Path) -> None:
    assert remains.read(tmp_path) == ()


def test_what_belongs_to_others_is_not_ours(tmp_path: Path) -> None:
    theirs = {
        "etc/libvirt/hooks/qemu.d/50-vfiod": "#!/bin/sh\necho mine\n",
        "etc/modprobe.d/vfio.conf": "",
        "usr/local/share/applications/vfiod-mine.desktop": "[Desktop Entry]\n",
        "usr/share/vgabios/seabios.bin": "",
        "usr/share/vgabios/vfiod/0000:02:00.0.rom": "",
        "var/lib/libvirt/vfiod/0000:02:00.0.rom": "",
    }
    assert remains.read(tree(tmp_path, theirs)) == ()


def definition(managed: str) -> str:
    """As libvirt writes it."""
    (domain, *_) = (Path(__file__).parents[2] / "data/domains").iterdir()
    return "<!-- AUTO-GENERATED -->\n" + re.sub(r"managed='\w+'", f"managed='{managed}'",
                                               domain.read_text())  # fmt: skip


def test_guests_that_would_not_start_come_first_with_the_way_back(tmp_path: Path) -> None:
    files = {
        "etc/libvirt/qemu/win 10.xml": definition("no"),
        "etc/libvirt/qemu/by-hand.xml": definition("no"),
        "etc/libvirt/qemu/linux.xml": definition("yes"),
        "etc/libvirt/qemu/broken.xml": "<domain",
        "etc/libvirt/qemu/networks/default.xml": "<network/>",
        "var/lib/vfiod/backups/win%2010+1.000.init.xml": "",
        "var/lib/vfiod/setup.json": "{}",
    }
    found = [(remain.path, remain.remedy) for remain in remains.read(tree(tmp_path, files))]
    assert found[:3] == [
        ("/etc/libvirt/qemu/by-hand.xml", "virsh --connect qemu:///system edit by-hand"),
        ("/etc/libvirt/qemu/win 10.xml", "sudo vfiod init 'win 10' --revert"),
        ("/var/lib/vfiod/setup.json", "sudo vfiod setup --undo"),
    ]
    assert len([path for path, _ in found if "qemu/" in path]) == 2


@pytest.mark.parametrize(
    "name",
    ["debian/vfiod.prerm", "packaging/before-removal", "Makefile", "vfiod/tools/remains.py"],
)
def test_a_removal_names_a_return_that_a_running_guest_does_not_refuse(name: str) -> None:
    said = re.findall(r"sudo vfiod return[ \w-]*", (ROOT / name).read_text())
    assert said
    assert all("--shutdown 60" in one or "--destroy" in one for one in said)
