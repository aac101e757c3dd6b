"""libvirt's hooks and confinement, read from small trees."""

from pathlib import Path

import pytest

from tests.fakes.nobody import as_nobody
from tests.fakes.tree import Contents, Link, grow
from vfiod.host.facts.libvirtd import HookPlaces, Libvirt, read_libvirt

OWN = "etc/libvirt/hooks/qemu.d/50-vfiod"
OLD = "etc/libvirt/hooks/qemu"
SOURCE = "usr/share/vfiod/hooks/qemu"
MARK = b"# Installed by vfiod.service"
TEXT = "#!/bin/sh\n# Installed by vfiod.service\nexit 0\n"
PLACES = HookPlaces(Path("/") / OWN, Path("/") / SOURCE, MARK)


def libvirt(root: Path, files: dict[str, Contents], *executable: str) -> Libvirt:
    grow(root, files)
    for name in executable:
        (root / name).chmod(0o755)
    return read_libvirt(PLACES, root)


def test_no_libvirt(tmp_path: Path) -> None:
    found = read_libvirt(PLACES, tmp_path)
    assert not found.installed
    assert found.hook.file is None
    assert found.others == ()


def test_own_hook(tmp_path: Path) -> None:
    found = libvirt(tmp_path, {OWN: TEXT, SOURCE: TEXT}, OWN).hook
    assert found.file is not None
    assert found.file.path == f"/{OWN}"
    assert (found.file.executable, found.file.link) == (True, False)
    assert (found.ours, found.current) == (True, True)
    assert found.file.changed > 1e9


def test_own_hook_that_is_not_executable_and_old(tmp_path: Path) -> None:
    found = libvirt(tmp_path, {OWN: TEXT + "# old", SOURCE: TEXT}).hook
    assert found.file is not None
    assert not found.file.executable
    assert (found.ours, found.current) == (True, False)


def test_somebody_elses_file_in_its_place(tmp_path: Path) -> None:
    assert libvirt(tmp_path, {OWN: "#!/bin/sh\n", SOURCE: TEXT}).hook.ours is False


def test_without_the_package_nothing_is_compared(tmp_path: Path) -> None:
    assert libvirt(tmp_path, {OWN: TEXT}).hook.current is None


@pytest.mark.parametrize("target", [SOURCE, "nowhere"])
def test_links(tmp_path: Path, target: str) -> None:
    found = libvirt(tmp_path, {OWN: Link(target), SOURCE: TEXT}).hook
    assert found.file is not None
    assert found.file.link


def test_scripts_that_a_single_hook_runs(tmp_path: Path) -> None:
    script = "etc/libvirt/hooks/qemu.d/win10/prepare/begin/start.sh"
    files: dict[str, Contents] = {OLD: "#!/bin/sh\n", script: "#!/bin/sh\necho vfio-pci\n"}
    grow(tmp_path, files)
    (tmp_path / script).chmod(0o755)
    assert [hook.path for hook in read_libvirt(PLACES, tmp_path).others] == [f"/{OLD}"]
    (tmp_path / OLD).chmod(0o755)
    _, found = read_libvirt(PLACES, tmp_path).others
    assert (found.path, found.executable, found.meddles) == (f"/{script}", True, ("vfio-pci",))


def test_a_script_that_unloads_drivers_and_stops_a_login_screen_meddles(tmp_path: Path) -> None:
    text = "#!/bin/sh\nsystemctl stop sddm\nmodprobe -r nvidia_drm nvidia\n"
    (hook,) = libvirt(tmp_path, {OLD: text}, OLD).others
    assert hook.meddles == ("modprobe -r", "stop sddm")


def test_other_hooks(tmp_path: Path) -> None:
    text = "#!/bin/sh\nvirsh nodedev-detach pci_0000_01_00_0\n"
    files: dict[str, Contents] = {
        OWN: TEXT, OLD: text, "etc/libvirt/hooks/qemu.d/10-net": "#!/bin/sh\n",
    }  # fmt: skip
    first, second = libvirt(tmp_path, files, OLD).others
    assert (first.path, first.executable, first.meddles) == (f"/{OLD}", True, ("nodedev-detach",))
    assert (second.path, second.executable, second.meddles) == (
        "/etc/libvirt/hooks/qemu.d/10-net", False, (),
    )  # fmt: skip


# As a user, where the folders are root's alone


@pytest.mark.parametrize("closed", ["etc/libvirt", "etc/libvirt/hooks", "etc/libvirt/hooks/qemu.d"])
@pytest.mark.parametrize("files", [{OWN: TEXT, OLD: "#!/bin/sh\n", SOURCE: TEXT}, {}])
def test_hooks_in_a_closed_folder_are_unknown(
    tmp_path: Path, closed: str, files: dict[str, Contents]
) -> None:
    grow(tmp_path, files)
    (tmp_path / closed).mkdir(parents=True, exist_ok=True)
    (tmp_path / closed).chmod(0)  # as 0700 of root's is to others
    found = as_nobody(lambda: read_libvirt(PLACES, tmp_path), tmp_path)
    assert found.installed
    assert (found.hook.file, found.hook.hidden) == (None, True)
    assert found.closed == f"/{closed}"
    assert [hook.path for hook in found.others] == ([f"/{OLD}"] if seen(closed, files) else [])


def seen(closed: str, files: dict[str, Contents]) -> bool:
    return closed.endswith("qemu.d") and OLD in files


def test_a_hook_that_is_not_there_is_absent_to_a_user_too(tmp_path: Path) -> None:
    grow(tmp_path, {OLD: "#!/bin/sh\n"})
    found = as_nobody(lambda: read_libvirt(PLACES, tmp_path), tmp_path)
    assert (found.hook.file, found.hook.hidden, found.closed) == (None, False, "")


def test_a_folder_that_may_be_entered_and_not_listed(tmp_path: Path) -> None:
    grow(tmp_path, {OWN: TEXT, SOURCE: TEXT})
    (tmp_path / OWN).parent.chmod(0o111)
    found = as_nobody(lambda: read_libvirt(PLACES, tmp_path), tmp_path)
    assert found.hook.file is not None
    assert (found.hook.ours, found.closed) == (True, f"/{Path(OWN).parent}")


def test_the_label_is_that_of_vfiod_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = {tmp_path / OWN: b"system_u:object_r:virt_etc_t:s0\0"}
    monkeypatch.setattr("os.getxattr", lambda file, _name: labels[file])
    assert libvirt(tmp_path, {OWN: TEXT}).confinement.hook_type == "virt_etc_t"


@pytest.mark.parametrize(("files", "field", "value"), [
    ({"sys/module/apparmor/parameters/enabled": "Y\n"}, "apparmor", True),
    ({"sys/module/apparmor/parameters/enabled": "N\n"}, "apparmor", False),
    ({"etc/apparmor.d/usr.sbin.libvirtd": ""}, "profile", True),
    ({"etc/apparmor.d/usr.sbin.virtqemud": ""}, "profile", True),
    ({"etc/apparmor.d/usr.sbin.libvirtd": "",
      "etc/apparmor.d/disable/usr.sbin.libvirtd": Link("/gone")}, "profile", False),
    ({"etc/apparmor.d/usr.sbin.libvirtd": "",
      "etc/apparmor.d/disable/usr.sbin.libvirtd": Link("/gone")}, "disabled", "usr.sbin.libvirtd"),
    ({}, "disabled", ""),
    ({"sys/fs/selinux/enforce": "1"}, "selinux", True),
    ({"sys/fs/selinux/enforce": "0"}, "selinux", False),
    ({"etc/libvirt/qemu.conf": '#security_driver = "x"\nsecurity_driver = "none"\n'},
     "driver", "none"),
    ({"usr/bin/dbus-send": "", "usr/bin/logger": Link("usr/lib/cargo/logger"),
      "usr/lib/cargo/logger": ""}, "elsewhere", (("logger", "/usr/lib/cargo/logger"),)),
    ({"usr/bin/logger": Link("usr/sbin/logger"), "usr/sbin/logger": ""}, "elsewhere", ()),
])  # fmt: skip
def test_confinement(tmp_path: Path, files: dict[str, Contents], field: str, value: object) -> None:
    assert getattr(libvirt(tmp_path, files).confinement, field) == value
