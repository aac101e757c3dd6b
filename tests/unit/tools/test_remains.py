"""What of vfiod is on a host is found, and nothing else is taken for it."""

from pathlib import Path

from tests.unit.host.facts.test_boot import tree
from vfiod.tools import remains

OURS = {
    "run/vfiod/journal.json": "{}",
    "var/lib/vfiod/setup.json": "{}",
    "etc/default/grub.d/50-vfiod.cfg": "",
    "etc/modprobe.d/vfiod.conf": "",
    "etc/modules-load.d/vfiod.conf": "",
    "etc/libvirt/hooks/qemu.d/50-vfiod": "#!/bin/sh\n# Installed by vfiod.service\n",
    "usr/local/share/applications/vfiod-1.desktop": "[Desktop Entry]\nX-Vfiod-Guest=win10\n",
    "usr/share/vgabios/vfiod/0000:01:00.0.rom": "",
    "usr/share/vgabios/vfiod/.0000:01:00.0.rom.sha256": "",
    "etc/vfiod/vfiod.yaml": "",
    "var/lib/vfiod/backups/win10+1": "",
}


def test_everything_of_ours_is_found_with_a_remedy(tmp_path: Path) -> None:
    found = remains.read(tree(tmp_path, OURS))
    expected = {f"/{path}" for path in OURS} - {"/etc/vfiod/vfiod.yaml"}
    assert {remain.path for remain in found} == {*expected, "/etc/vfiod", "/run/vfiod"}
    assert all(remain.what and remain.remedy.startswith("sudo ") for remain in found)


def test_an_empty_host_has_nothing(tmp_path: Path) -> None:
    assert remains.read(tmp_path) == ()


def test_what_belongs_to_others_is_not_ours(tmp_path: Path) -> None:
    theirs = {
        "etc/libvirt/hooks/qemu.d/50-vfiod": "#!/bin/sh\necho mine\n",
        "etc/modprobe.d/vfio.conf": "",
        "usr/local/share/applications/vfiod-mine.desktop": "[Desktop Entry]\n",
        "usr/share/vgabios/seabios.bin": "",
        "usr/share/vgabios/vfiod/0000:02:00.0.rom": "",
    }
    assert remains.read(tree(tmp_path, theirs)) == ()
