"""libvirt's hook: when it is written, how, and with which label."""

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.fakes.tree import grow
from vfiod.errors import HostError
from vfiod.host.linux import hook_file


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(b"#!/bin/sh\n# Installed by vfiod.service\nexit 0\n")
    (tmp_path / "libvirt").mkdir()
    return path


def target(tmp_path: Path) -> Path:
    return tmp_path / "libvirt/hooks/qemu.d/50-vfiod"


def test_the_hook_is_installed_once(source: Path, tmp_path: Path) -> None:
    assert hook_file.install(source, target(tmp_path))
    assert target(tmp_path).read_bytes() == source.read_bytes()
    assert stat.S_IMODE(target(tmp_path).stat().st_mode) == 0o755
    assert not hook_file.install(source, target(tmp_path))


def test_an_older_hook_of_ours_is_replaced(source: Path, tmp_path: Path) -> None:
    hook_file.install(source, target(tmp_path))
    source.write_bytes(source.read_bytes() + b"# newer\n")
    assert hook_file.install(source, target(tmp_path))
    assert target(tmp_path).read_bytes().endswith(b"# newer\n")


def test_a_hook_that_cannot_be_executed_is_repaired(source: Path, tmp_path: Path) -> None:
    hook_file.install(source, target(tmp_path))
    target(tmp_path).chmod(0o644)
    assert hook_file.install(source, target(tmp_path))
    assert target(tmp_path).stat().st_mode & stat.S_IXUSR


@pytest.fixture
def other_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """qemu.d is mounted, or a link to somewhere else: rename(2) does not go there."""
    rename = Path.replace

    def replace(old: Path, new: Path) -> Path:
        if old.parent != new.parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(old, new)

    monkeypatch.setattr(Path, "replace", replace)


def hooks_that_run(tmp_path: Path) -> list[Path]:
    """What libvirt would run: every file in qemu.d that can be executed, by whatever name."""
    files = target(tmp_path).parent.iterdir()
    return [file for file in files if file.stat().st_mode & 0o111]


@pytest.mark.parametrize("place", ["", "other_file_system"])
def test_a_crash_while_the_hook_is_written_leaves_no_second_one(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest, place: str,
) -> None:  # fmt: skip
    hook_file.install(source, target(tmp_path))
    source.write_bytes(source.read_bytes() + b"# newer\n")
    if place:
        request.getfixturevalue(place)
    seen: list[list[Path]] = []
    monkeypatch.setattr("os.fsync", lambda _file: seen.append(hooks_that_run(tmp_path)))
    assert hook_file.install(source, target(tmp_path))
    assert seen
    assert all(files == [target(tmp_path)] for files in seen)
    assert hooks_that_run(tmp_path) == [target(tmp_path)]
    assert target(tmp_path).read_bytes().endswith(b"# newer\n")
    assert not list(tmp_path.glob("libvirt/**/.*"))


def test_what_a_crash_has_left_of_the_hook_goes(source: Path, tmp_path: Path) -> None:
    hook_file.install(source, target(tmp_path))
    folder = target(tmp_path).parent
    ours = [folder / ".50-vfiod.a1b2c3d4", folder.parent / ".50-vfiod.e5f6a7b8"]
    others = [folder / ".50-vfiodx", folder / ".60-mine.a1b2c3d4"]
    for file in (*ours, *others):
        file.write_bytes(source.read_bytes())
    assert not hook_file.install(source, target(tmp_path))
    assert not any(file.exists() for file in ours)
    assert all(file.exists() for file in others)


def test_somebody_else_s_file_is_left_alone(source: Path, tmp_path: Path) -> None:
    target(tmp_path).parent.mkdir(parents=True)
    target(tmp_path).write_text("#!/bin/sh\necho mine\n")
    with pytest.raises(HostError, match="not vfiod's own file") as caught:
        hook_file.install(source, target(tmp_path))
    assert "moved away" in caught.value.hint
    assert target(tmp_path).read_text() == "#!/bin/sh\necho mine\n"


def test_without_libvirt_nothing_is_installed(tmp_path: Path, source: Path) -> None:
    (tmp_path / "libvirt").rmdir()
    with pytest.raises(HostError, match="libvirt is not installed"):
        hook_file.install(source, target(tmp_path))
    assert not (tmp_path / "libvirt").exists()


def test_a_package_without_its_hook_says_so(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="is missing"):
        hook_file.install(tmp_path / "absent", target(tmp_path))


# Its label


@pytest.fixture
def labels(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The labels of files by their names: those of the machine's own SELinux are not a test's."""
    found: dict[str, bytes] = {}

    def getxattr(file: Path, _name: str) -> bytes:
        if file.name not in found:
            raise OSError(errno.ENODATA, "No data available")
        return found[file.name]

    monkeypatch.setattr(os, "getxattr", getxattr)
    return found


def relabelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, fails: str = "") -> list[str]:
    """The commands that relabel() runs."""
    ran: list[str] = []

    def run(argv: Sequence[str], *, seconds: float) -> str:
        assert seconds
        ran.append(" ".join(argv))
        if fails:
            raise HostError(fails)
        return ""

    monkeypatch.setattr(hook_file, "run", run)
    hook_file.relabel(target(tmp_path), tmp_path)
    return ran


@pytest.mark.parametrize(
    ("label", "enforce", "commands"),
    [
        (b"system_u:object_r:virt_etc_t:s0\0", "1", 1),
        (b"system_u:object_r:virt_etc_t:s0\0", "0", 1),
        (b"system_u:object_r:virt_hook_t:s0\0", "1", 0),
        (b"system_u:object_r:virt_hook_t:s0:c1,c2", "1", 0),
        (b"", "1", 1),
        (b"system_u:object_r:virt_etc_t:s0\0", "", 0),
    ],
)
def test_a_hook_that_libvirt_might_not_execute_is_labelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labels: dict[str, bytes],
    label: bytes, enforce: str, commands: int,
) -> None:  # fmt: skip
    if label:
        labels["50-vfiod"] = label
    if enforce:
        grow(tmp_path, {"sys/fs/selinux/enforce": enforce})
    wanted = [f"restorecon -R {tmp_path}/libvirt/hooks"] * commands
    assert relabelled(tmp_path, monkeypatch) == wanted


def test_a_label_that_cannot_be_set_is_told_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labels: dict[str, bytes]
) -> None:
    labels["50-vfiod"] = b"system_u:object_r:virt_etc_t:s0\0"
    grow(tmp_path, {"sys/fs/selinux/enforce": "1"})
    with pytest.raises(HostError, match="SELinux type virt_etc_t: restorecon is away") as caught:
        relabelled(tmp_path, monkeypatch, fails="restorecon is away")
    assert caught.value.hint.endswith(f"sudo restorecon -R {tmp_path}/libvirt/hooks")
